import logging
import sys
import threading
import time
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from gearshift.pipeline import Device, Pool, Pressure, Reading, Sample, Sampler, live
from gearshift.pipeline.probes.accelerator import AcceleratorProbe
from gearshift.pipeline.probes.nvml import NvmlProbe
from gearshift.pipeline.sources import FILL, default_probes, event_time, pace
from gearshift.pipeline.testing import ScriptedGpu, ScriptedNvml, ScriptedProbe
from hypothesis import given
from hypothesis import strategies as st

GIB = 2**30


def test_readings_of_all_probes_become_one_sample() -> None:
    sampler = Sampler(
        [
            ScriptedProbe([Reading(pools={"ram": Pool(10, 5)}, pressure={"memory": Pressure(0.1, 0.0)})]),
            ScriptedProbe([Reading(cpu=0.5, load=0.0, pressure={"io": Pressure(0.2, 0.1)})], name="cpu", pools=()),
            ScriptedProbe([Reading(pools={"cuda:0": None}, devices={"cuda:0": Device(0.7)}, alarm=False)], name="gpu"),
        ]
    )
    before = event_time()
    sample = sampler.take()
    assert before - 1e-6 <= sample.time <= event_time() + 1e-6 and sample.wall == pytest.approx(time.time(), abs=5)
    assert sample.pools == {"ram": Pool(10, 5), "cuda:0": None}
    assert sample.pressure == {"memory": Pressure(0.1, 0.0), "io": Pressure(0.2, 0.1)}
    assert (sample.cpu, sample.load, sample.swap_used, sample.alarm) == (0.5, 0.0, None, False)
    assert sample.devices == {"cuda:0": Device(0.7)} and sample.missing == ()


def test_a_failing_probe_is_missing_in_the_sample_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    good = Reading(pools={"ram": Pool(10, 5)})
    sampler = Sampler([ScriptedProbe([good, OSError("gone"), OSError("gone"), good])])
    with caplog.at_level(logging.WARNING):
        samples = [sampler.take() for _ in range(4)]
    assert [s.missing for s in samples] == [(), ("ram",), ("ram",), ()]
    assert [s.pools["ram"] is None for s in samples] == [False, True, True, False]
    assert caplog.text.count("gone") == 1


def test_single_devices_that_failed_are_missing_in_the_sample() -> None:
    reading = Reading(pools={"cuda:0": Pool(10, 5), "cuda:1": None}, missing=("cuda:1",))
    sample = Sampler([ScriptedProbe([reading], name="nvml")]).take()
    assert sample.missing == ("cuda:1",) and sample.pools["cuda:0"] == Pool(10, 5)


def test_closing_lets_go_of_the_driver() -> None:
    nvml = ScriptedNvml(ScriptedGpu("GPU-1"))
    sampler = Sampler([NvmlProbe(nvml), ScriptedProbe([Reading()])])
    assert "cuda:0" in sampler.take().pools
    sampler.close()
    sampler.close()
    assert (nvml.calls["nvmlInit"], nvml.calls["nvmlShutdown"], nvml.users) == (1, 1, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists the files that a process has open")
def test_closing_lets_go_of_the_kernels_files_and_a_later_reading_opens_them_again() -> None:
    def opened() -> list[str]:
        return sorted(file.path for file in psutil.Process().open_files() if file.path.startswith(("/proc/", "/sys/")))

    before = opened()
    sampler = Sampler(default_probes())
    assert sampler.take().pools["ram"] is not None
    assert len(opened()) > len(before)
    sampler.close()
    assert opened() == before
    assert sampler.take().pools["ram"] is not None
    sampler.close()


def test_a_probe_that_gives_no_reading_is_missing_like_one_that_raises() -> None:
    class Broken:
        name, pools = "broken", ("cuda:0",)

        def read(self) -> Any:
            return None

    sample = Sampler([Broken(), ScriptedProbe([Reading(cpu=0.5)], name="cpu", pools=())]).take()
    assert (sample.missing, sample.pools, sample.cpu) == (("broken",), {"cuda:0": None}, 0.5)


def test_two_threads_never_read_a_probe_at_once() -> None:
    class Slow:
        name, pools = "slow", ()
        inside = overlaps = 0

        def read(self) -> Reading:
            self.inside += 1
            self.overlaps += self.inside > 1
            time.sleep(0.001)
            self.inside -= 1
            return Reading()

    probe = Slow()
    sampler = Sampler([probe])
    threads = [threading.Thread(target=lambda: [sampler.take() for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert probe.overlaps == 0


def test_pools_can_be_read_by_their_own_probes_alone() -> None:
    def counted(name: str, *pools: str) -> Any:
        class Counted(ScriptedProbe):
            reads = 0

            def read(self) -> Reading:
                self.reads += 1
                return super().read()

        return Counted([Reading(pools={pool: Pool(10, 5) for pool in pools})], name=name, pools=pools)

    ram, cards, alarm = counted("ram", "ram"), counted("nvml", "cuda:0", "cuda:1"), counted("alarm")
    sampler = Sampler([ram, cards, alarm])
    assert sampler.take_pools(["ram"]).pools == {"ram": Pool(10, 5)}
    assert set(sampler.take_pools({"cuda:1"}).pools) == {"cuda:0", "cuda:1"}
    assert sampler.take_pools(("ram", "mps")).pools == {"ram": Pool(10, 5)}
    assert sampler.take_pools([]).pools == {}
    assert (ram.reads, cards.reads, alarm.reads) == (2, 1, 0)


def test_an_accelerator_that_was_never_read_is_asked_for_a_pool_that_no_probe_knows() -> None:
    class Metal:
        version = SimpleNamespace(hip=None)
        accelerator = SimpleNamespace(current_accelerator=lambda: SimpleNamespace(type="mps"))
        mps = SimpleNamespace(
            is_available=lambda: True, recommended_max_memory=lambda: 100, driver_allocated_memory=lambda: 30
        )

    sampler = Sampler([AcceleratorProbe(lambda: Metal, available=lambda: 50), ScriptedProbe([Reading()])])
    for _ in range(2):
        assert sampler.take_pools(["mps"]).pools == {"mps": Pool(100, 50, 30)}


def test_this_machine_is_read_whole() -> None:
    sampler = Sampler(default_probes())
    sampler.take()
    end = time.monotonic() + 0.05  # the kernel counts in hundredths
    while time.monotonic() < end:
        pass
    sample = sampler.take()
    assert sample.missing == ()
    ram = sample.pools["ram"]
    assert ram is not None and 0 < ram.used < ram.total
    assert sample.cpu is not None and sample.load is not None
    assert sample.swap_used is not None and sample.swap_in is not None


def at(used: int, total: int = 24 * GIB) -> Sample:
    return Sample(0.0, {"ram": Pool(total, used)})


@pytest.mark.parametrize(
    ("used", "ceiling", "seconds"),
    [(0, 1.0, 1.0), (18 * GIB, 1.0, 1.0), (21 * GIB, 1.0, 3 * GIB / FILL), (21 * GIB, 0.9, 0.6 * GIB / FILL),
     (23.9 * GIB, 1.0, 0.1), (24 * GIB, 0.5, 0.1)],
)  # fmt: skip
def test_samples_come_as_much_faster_as_memory_can_fill(used: float, ceiling: float, seconds: float) -> None:
    assert pace(at(int(used)), slowest=1.0, fastest=0.1, ceiling=ceiling) == pytest.approx(max(0.1, seconds))


@given(st.lists(st.integers(0, 24 * GIB), min_size=1), st.floats(0.01, 10), st.floats(0.01, 10))
def test_the_tightest_pool_sets_the_pace_within_its_limits(used: list[int], slowest: float, fastest: float) -> None:
    pools: dict[str, Pool | None] = {f"cuda:{i}": Pool(24 * GIB, u, 1) for i, u in enumerate(used)}
    pools["cuda:99"] = Pool(24 * GIB, 24 * GIB)
    found = pace(Sample(0.0, pools), slowest=slowest, fastest=fastest)
    assert min(slowest, fastest) <= found <= slowest
    assert found == pace(at(max(used)), slowest=slowest, fastest=fastest)
    assert pace(Sample(0.0, {"ram": None}), slowest=slowest, fastest=fastest) == slowest


def collect(probe: Any, count: int, **options: Any) -> list[Sample]:
    samples: list[Sample] = []
    enough = threading.Event()

    def take(sample: Sample) -> None:
        samples.append(sample)
        if len(samples) >= count:
            enough.set()

    with live(Sampler([probe]), **options).subscribe(take):
        assert enough.wait(20)
    return samples[:count]


@pytest.mark.slow
def test_samples_are_taken_on_deadlines_that_do_not_drift() -> None:
    times = [s.time for s in collect(ScriptedProbe([Reading()]), 60, interval=0.02)]
    assert times == sorted(times)
    late = [(t - times[0]) / 0.02 for t in times]
    phases = [x - round(x) for x in late]
    assert sorted(phases)[len(phases) // 2] == pytest.approx(0, abs=0.2), "every wait's lateness was added up"


@pytest.mark.slow
def test_a_sample_says_when_the_next_one_is_due_and_keeps_its_word() -> None:
    calm, short = Reading(pools={"ram": Pool(24 * GIB, 0)}), Reading(pools={"ram": Pool(24 * GIB, 24 * GIB)})
    script = [calm] * 3 + [short] * 6 + [calm] * 3
    samples = collect(ScriptedProbe(script), 12, interval=0.3, fastest=0.05)
    assert [s.interval for s in samples] == [0.3] * 3 + [0.05] * 6 + [0.3] * 3
    gaps = [b.time - a.time for a, b in zip(samples, samples[1:], strict=False)]
    assert sum(gaps[:3]) > 0.5 and sum(gaps[3:9]) < 0.5


@pytest.mark.slow
def test_a_deadline_that_was_missed_is_skipped() -> None:
    class Stalling:
        name, pools, reads = "stalling", (), 0

        def read(self) -> Reading:
            self.reads += 1
            if self.reads == 2:
                time.sleep(0.3)
            return Reading()

    times = [s.time for s in collect(Stalling(), 6, interval=0.05)]
    gaps = [b - a for a, b in zip(times, times[1:], strict=False)]
    assert gaps[1] >= 0.3 and all(gap > 0.02 for gap in gaps[2:])


def test_a_subscriber_that_raises_is_told_and_sampling_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[Sample] = []
    enough = threading.Event()

    def take(sample: Sample) -> None:
        seen.append(sample)
        if len(seen) == 1:
            raise OSError("disk full")
        enough.set()

    with live(Sampler([ScriptedProbe([Reading()])]), interval=0.01).subscribe(take):
        assert enough.wait(10)
    assert "sampling goes on" in caplog.text and "disk full" in caplog.text


def test_the_thread_is_gone_after_disposal() -> None:
    before = set(threading.enumerate())
    collect(ScriptedProbe([Reading()]), 3, interval=0.01)
    assert set(threading.enumerate()) == before
