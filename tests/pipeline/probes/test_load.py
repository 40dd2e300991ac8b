import os
import threading
import time

import psutil
import pytest
from gearshift.pipeline.probes.load import CpuProbe, SwapProbe


def burn(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        sum(range(1000))


@pytest.mark.slow
def test_a_busy_core_shows_whichever_thread_reads() -> None:
    allowed = os.sched_getaffinity(0)
    one = {min(allowed)}
    try:
        os.sched_setaffinity(0, one)
        probe = CpuProbe()
        assert probe.read().cpu is None
        burn(0.3)
        seen: list[float | None] = []
        other = threading.Thread(target=lambda: seen.append(probe.read().cpu))
        other.start()
        other.join(10)
        assert seen[0] is not None and seen[0] > 0.7, "the one core that this process may use was busy"
    finally:
        os.sched_setaffinity(0, allowed)


def test_load_is_the_load_average_for_each_usable_core() -> None:
    assert CpuProbe(cores=lambda: 0.5).read().load == pytest.approx(psutil.getloadavg()[0] / 0.5, abs=0.2)


def test_cores_are_counted_again_now_and_then() -> None:
    clock, counts = [0.0], iter([1.0, 4.0])
    probe = CpuProbe(cores=lambda: next(counts), clock=lambda: clock[0])
    first, again = probe.read().load, probe.read().load
    clock[0] = 61.0
    later = probe.read().load
    assert first is not None and again is not None and later is not None
    assert again == pytest.approx(first, abs=0.2) and later == pytest.approx(first / 4, abs=0.2)


def test_swap_is_in_bytes_and_its_return_in_bytes_a_second() -> None:
    probe = SwapProbe()
    first, second = probe.read(), probe.read()
    assert first.swap_used is not None and first.swap_used >= 0 and first.swap_in is None
    assert second.swap_in is not None and second.swap_in >= 0
