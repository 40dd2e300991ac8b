"""A probe that hangs, as a driver may for minutes: what goes on without it, what is told, and what still ends."""

import logging
import threading
from collections.abc import Iterator
from functools import partial

import pytest
from gearshift.pipeline import Decision, Pool, ProactiveScaler, Reading, Residency, Sample, Sampler, Settings, live
from gearshift.pipeline.testing import GIB, ScriptedProbe, residency, rungs_of
from reactivex.subject import BehaviorSubject

from tests import waiting as bounded

LADDER = rungs_of(large={"ram": GIB, "cuda:0": 8 * GIB}, small={"ram": GIB})
GPU = Pool(24 * GIB, 8 * GIB, 8 * GIB)


class Hanging:
    """A GPU that answers until it hangs, and again when it is let go."""

    name, pools = "gpu", ("cuda:0",)

    def __init__(self) -> None:
        self.hangs = False
        self.inside = self.most_inside = 0
        self._free = threading.Event()

    def read(self) -> Reading:
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        try:
            if self.hangs:
                assert self._free.wait(60)
            return Reading({"cuda:0": GPU})
        finally:
            self.inside -= 1

    def let_go(self) -> None:
        self.hangs = False
        self._free.set()

    def close(self) -> None:
        """It holds nothing."""


@pytest.fixture
def gpu() -> Iterator[Hanging]:
    before = set(threading.enumerate())
    probe = Hanging()
    yield probe
    probe.let_go()
    until(lambda: set(threading.enumerate()) <= before)


@pytest.fixture
def sampler(gpu: Hanging) -> Sampler:
    return Sampler([gpu, ScriptedProbe([Reading({"ram": Pool(16 * GIB, 4 * GIB, GIB)})])])


until = partial(bounded.until, seconds=30.0)


def test_the_others_are_read_on_and_it_comes_back_when_it_answers(
    gpu: Hanging, sampler: Sampler, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Sample] = []
    inside = [0]

    def take(sample: Sample) -> None:
        inside[0] += 1
        assert inside == [1], "two threads deliver at once"
        seen.append(sample)
        inside[0] -= 1

    with live(sampler, interval=0.05).subscribe(take):
        until(lambda: len(seen) >= 3)
        gpu.hangs = True
        until(lambda: seen[-1].missing == ("gpu",))
        so_far = len(seen)
        until(lambda: len(seen) >= so_far + 5)
        blind = seen[so_far:]
        assert all(sample.pools["cuda:0"] is None and sample.pools["ram"] is not None for sample in blind)
        gpu.let_go()
        until(lambda: seen[-1].pools["cuda:0"] == GPU and not seen[-1].missing)
    times = [sample.time for sample in seen]
    assert times == sorted(times) and gpu.most_inside == 1
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING] == [
        "probe gpu failed: it hangs, and has not answered what it was asked before; "
        "its readings are missing until it recovers"
    ]


def test_ram_still_decides_and_nothing_grows_while_the_gpu_hangs(gpu: Hanging) -> None:
    ram = [Reading({"ram": Pool(16 * GIB, 4 * GIB, GIB)})]
    made: list[Decision] = []
    settings = Settings(interval=0.05, stabilisation=0.2, horizon=1.0)
    loaded: BehaviorSubject[Residency] = BehaviorSubject(residency("small"))
    scaler = ProactiveScaler(LADDER, settings, residencies=loaded, sampler=Sampler([gpu, ScriptedProbe(ram)]))
    seen: list[Sample] = []
    gpu.hangs = True
    with scaler.decisions.subscribe(made.append), scaler.samples.subscribe(seen.append), scaler:
        until(lambda: len(seen) >= 40)
        assert seen[-1].time - seen[0].time > 5 * 0.2 and made == []
        ram[0] = Reading({"ram": Pool(16 * GIB, 16 * GIB, GIB)})
        until(lambda: made)
    assert [(d.kind, d.target) for d in made][:1] == [("shed", None)]


def test_a_preflight_check_on_it_says_that_it_cannot_tell(gpu: Hanging, sampler: Sampler) -> None:
    loaded: BehaviorSubject[Residency] = BehaviorSubject(residency("small"))
    scaler = ProactiveScaler(LADDER, Settings(interval=0.05), residencies=loaded, sampler=sampler)
    seen: list[Sample] = []
    with scaler.samples.subscribe(seen.append), scaler:
        until(lambda: seen)
        gpu.hangs = True
        until(lambda: gpu.inside)
        until(lambda: not scaler.check_preflight_resources("load", "large").known)
        assert scaler.check_preflight_resources().ok
        assert not scaler.should_upgrade_model()


def test_monitoring_ends_and_begins_again_although_it_hangs(
    gpu: Hanging, sampler: Sampler, caplog: pytest.LogCaptureFixture
) -> None:
    scaler = ProactiveScaler(LADDER, Settings(interval=0.05), sampler=sampler)
    seen: list[Sample] = []
    with scaler.samples.subscribe(seen.append):
        gpu.hangs = True
        scaler.start_continuous_monitoring()
        until(lambda: gpu.inside)
        scaler.stop_continuous_monitoring()
        assert scaler.start_continuous_monitoring()
        until(lambda: len(seen) >= 3)
        scaler.stop_continuous_monitoring()
    sampler.close()
    assert all(sample.pools["ram"] is not None for sample in seen)
    assert "probe gpu can't be closed: it hangs" in caplog.text


def test_a_subscriber_that_blocks_is_told_of_and_never_called_by_two_threads(
    sampler: Sampler, caplog: pytest.LogCaptureFixture
) -> None:
    free, seen = threading.Event(), list[Sample]()

    def take(sample: Sample) -> None:
        seen.append(sample)
        if len(seen) == 1:
            free.wait(60)

    with live(sampler, interval=0.05).subscribe(take):
        until(lambda: "a subscriber has held up the samples" in caplog.text)
        assert len(seen) == 1
        free.set()
        until(lambda: len(seen) >= 3)
    assert caplog.text.count("held up") == 1
