"""Starts, stops and questions from any thread and in any order."""

import asyncio
import gc
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psutil
import pytest
import reactivex
from gearshift.pipeline import Decision, Pool, ProactiveScaler, Reading, Residency, Sample, Sampler, Settings
from gearshift.pipeline.testing import ScriptedProbe, rungs_of, samples_of
from reactivex import Subject
from reactivex.disposable import Disposable

LADDER = rungs_of(500, 300, 100)
QUICK = Settings(interval=0.002, fastest=0.001)


def sampler(*readings: Reading) -> Sampler:
    return Sampler([ScriptedProbe(readings or [Reading(pools={"ram": Pool(1000, 100)})])])


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """No thread and no descriptor outlives the last stop."""
    gc.collect()
    before, files = set(threading.enumerate()), psutil.Process().num_fds()
    yield
    gc.collect()
    assert set(threading.enumerate()) <= before
    assert psutil.Process().num_fds() <= files


class Within:
    """Runs in a thread, and says what became of it; a deadlock is a failure, not a hang."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.error: BaseException | None = None

        def run() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - told by `ended`
                self.error = error

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def ended(self, seconds: float = 10.0) -> None:
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "deadlock"
        if self.error is not None:
            raise self.error


def sampling() -> int:
    return sum(thread.name == "gearshift-sampler" for thread in threading.enumerate())


def waits_for(happened: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.001)


def test_start_and_stop_in_any_order_and_number() -> None:
    scaler = ProactiveScaler(LADDER, QUICK)
    scaler.stop_continuous_monitoring()
    for _ in range(3):
        for _ in range(2):
            scaler.start_continuous_monitoring()
        assert sampling() == 1
        for _ in range(2):
            scaler.stop_continuous_monitoring()
        assert sampling() == 0


def test_a_question_after_the_stop_leaves_nothing_behind_after_another_stop() -> None:
    scaler = ProactiveScaler(LADDER, QUICK)
    assert "limit" in scaler.check_preflight_resources(rung="small").reason
    scaler.stop_continuous_monitoring()


def test_stop_from_inside_a_subscriber_ends_the_stream_at_once() -> None:
    scaler = ProactiveScaler(LADDER, QUICK, sampler=sampler())
    samples: list[Sample] = []

    def take(sample: Sample) -> None:
        samples.append(sample)
        if len(samples) == 3:
            scaler.stop_continuous_monitoring()

    scaler.samples.subscribe(take)
    scaler.start_continuous_monitoring()
    waits_for(lambda: len(samples) == 3 and not sampling())
    scaler.stop_continuous_monitoring()
    assert len(samples) == 3


def test_a_restart_from_inside_a_subscriber_goes_on_with_one_sampler() -> None:
    scaler = ProactiveScaler(LADDER, QUICK)
    samples: list[Sample] = []

    def take(sample: Sample) -> None:
        samples.append(sample)
        if len(samples) in (2, 4):
            scaler.stop_continuous_monitoring()
            scaler.start_continuous_monitoring()

    scaler.samples.subscribe(take)
    scaler.start_continuous_monitoring()
    waits_for(lambda: len(samples) > 8 and sampling() == 1)
    scaler.stop_continuous_monitoring()
    assert sampling() == 0


def test_a_start_from_inside_a_subscriber_while_another_thread_stops_is_not_cut_off() -> None:
    closed: list[str] = []

    class Closing(ScriptedProbe):
        def close(self) -> None:
            closed.append(self.name)

    inside, go = threading.Event(), threading.Event()
    scaler = ProactiveScaler(LADDER, QUICK)
    made: list[Sampler] = []

    def make() -> Sampler:
        made.append(Sampler([Closing([Reading(pools={"ram": Pool(1000, 100)})], name=f"probe {len(made)}")]))
        return made[-1]

    scaler._runs._make = make
    first = True

    def take(_: Sample) -> None:
        nonlocal first
        if first:
            first = False
            inside.set()
            go.wait(10)
            scaler.start_continuous_monitoring()

    scaler.samples.subscribe(take)
    scaler.start_continuous_monitoring()
    assert inside.wait(10)
    stopping = Within(scaler.stop_continuous_monitoring)
    waits_for(lambda: scaler._runs._current is None)
    go.set()
    stopping.ended()
    seen = threading.Event()
    scaler.samples.subscribe(lambda _: seen.set())
    assert seen.wait(10), "the new run was stopped with the old one"
    assert closed == ["probe 0"]
    scaler.stop_continuous_monitoring()
    assert closed == ["probe 0", "probe 1"]


def test_a_second_stop_waits_for_the_first() -> None:
    inside, go = threading.Event(), threading.Event()
    scaler = ProactiveScaler(LADDER, QUICK, sampler=sampler())

    def take(_: Sample) -> None:
        inside.set()
        go.wait(10)

    scaler.samples.subscribe(take)
    scaler.start_continuous_monitoring()
    assert inside.wait(10)
    first = Within(scaler.stop_continuous_monitoring)
    waits_for(lambda: scaler._runs._current is None)
    second = Within(scaler.stop_continuous_monitoring)
    time.sleep(0.05)
    assert second._thread.is_alive()
    go.set()
    first.ended()
    second.ended()
    assert sampling() == 0


def test_stop_from_a_decision_that_another_thread_asked_for_does_not_wait_for_the_sampler() -> None:
    scaler = ProactiveScaler(LADDER, QUICK, sampler=sampler())
    scaler.outlooks.subscribe(lambda _: seen.set())
    seen, asked = threading.Event(), threading.Event()

    def stop(decision: Decision) -> None:
        if decision.reason.rule == "asked":
            asked.set()
            time.sleep(0.02)  # the sampler's thread now waits behind this decision
            scaler.stop_continuous_monitoring()

    scaler.decisions.subscribe(stop)
    with scaler:
        scaler._reside(Residency(0.0, "ready", "large"))
        assert seen.wait(10)
        began = time.monotonic()
        assert scaler.initiate_graceful_degradation("a test") is not None
        assert asked.wait(10)
        scaler.stop_continuous_monitoring()
        assert time.monotonic() - began < 3


def test_a_source_that_broke_can_be_started_again(caplog: pytest.LogCaptureFixture) -> None:
    first, second = reactivex.throw(OSError("unplugged")), Subject[Sample]()
    sources = iter([first, second])
    scaler = ProactiveScaler(LADDER, Settings(), reactivex.defer(lambda _: next(sources)))
    samples: list[Sample] = []
    scaler.samples.subscribe(samples.append)
    scaler.start_continuous_monitoring()
    assert "unplugged; start monitoring again" in caplog.text
    scaler.start_continuous_monitoring()
    scaler.start_continuous_monitoring()
    second.on_next(samples_of([100])[0])
    assert len(samples) == 1
    scaler.stop_continuous_monitoring()
    assert not second.observers


def test_a_recording_that_ended_still_answers_and_plays_again() -> None:
    scaler = ProactiveScaler(LADDER, Settings(), reactivex.from_iterable(samples_of([100, 100])))
    samples: list[Sample] = []
    scaler.samples.subscribe(samples.append)
    for count in (2, 4):
        scaler.start_continuous_monitoring()
        waits_for(lambda count=count: len(samples) == count)
    made = scaler.initiate_graceful_degradation("before it is loaded")
    assert made is not None and made.target == "medium"
    scaler.stop_continuous_monitoring()


def test_a_start_that_fails_leaves_nothing_and_can_be_tried_again() -> None:
    calls = iter([OSError("not yet"), None])

    def connect(_: Any, __: Any = None) -> Any:
        error = next(calls)
        if error is not None:
            raise error
        return Subject[Sample]().subscribe()

    class Source(reactivex.Observable[Sample]):
        def subscribe(self, *args: Any, **_: Any) -> Any:
            return connect(*args[:1])

    scaler = ProactiveScaler(LADDER, Settings(), Source())
    with pytest.raises(OSError, match="not yet"):
        scaler.start_continuous_monitoring()
    assert not scaler._samples.observers and not scaler._outlooks.observers
    scaler.start_continuous_monitoring()
    assert len(scaler._samples.observers) == 1
    scaler.stop_continuous_monitoring()
    assert not scaler._samples.observers and not scaler._outlooks.observers


def test_what_is_loaded_is_known_after_a_restart() -> None:
    source: Subject[Sample] = Subject()
    residencies: Subject[Residency] = Subject()
    scaler = ProactiveScaler(LADDER, Settings(), source, residencies=residencies)
    made: list[Decision] = []
    scaler.decisions.subscribe(made.append)
    with scaler:
        residencies.on_next(Residency(0.0, "ready", "large"))
        source.on_next(samples_of([100])[0])
    with scaler:
        for sample in samples_of([100] * 5, own=500):
            source.on_next(sample)
    assert made == [], "large is loaded, and nothing else is wanted"


def test_each_of_two_threads_that_ask_at_once_gets_its_own_decision() -> None:
    source: Subject[Sample] = Subject()
    scaler = ProactiveScaler(LADDER, Settings(), source, dry_run=True)
    entered, go, told = threading.Event(), threading.Event(), []

    def hold(decision: Decision) -> None:
        if decision.target == "large":
            entered.set()
            go.wait(10)

    def ask() -> None:
        told.append(scaler.initiate_graceful_degradation("the same reason"))

    scaler.decisions.subscribe(hold)
    with scaler:
        deciding = Within(lambda: source.on_next(samples_of([100])[0]))
        assert entered.wait(10)
        asking = [Within(ask), Within(ask)]
        waits_for(lambda: len(scaler._decisions.observers) == 3)  # both wait behind the first decision
        go.set()
        for thread in [deciding, *asking]:
            thread.ended()
    assert sorted(made.target or "" for made in told if made is not None) == ["medium", "small"]


def test_a_run_that_was_stopped_delivers_nothing_into_the_next() -> None:
    pushes: list[Any] = []
    disposing, go = threading.Event(), threading.Event()

    def dispose() -> None:
        disposing.set()
        go.wait(10)

    class Source(reactivex.Observable[Sample]):
        def subscribe(self, on_next: Any, *_: Any, **__: Any) -> Any:
            pushes.append(on_next)
            return Disposable(dispose)

    scaler = ProactiveScaler(LADDER, Settings(), Source())
    samples: list[Sample] = []
    scaler.samples.subscribe(samples.append)
    scaler.start_continuous_monitoring()
    stopping = Within(scaler.stop_continuous_monitoring)
    assert disposing.wait(10)
    scaler.start_continuous_monitoring()
    old, new = pushes
    old(Sample(1.0, {}))
    new(Sample(2.0, {}))
    go.set()
    stopping.ended()
    scaler.stop_continuous_monitoring()
    assert [sample.time for sample in samples] == [2.0]


def test_async_with_starts_and_stops_without_blocking_the_loop() -> None:
    entered, go = threading.Event(), threading.Event()

    async def watch() -> int:
        scaler = ProactiveScaler(LADDER, QUICK, sampler=sampler())

        def slow(_: Sample) -> None:
            entered.set()
            go.wait(10)

        scaler.samples.subscribe(slow)
        turns = 0

        async def tick() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0.001)
                turns += 1
                if turns == 50:
                    go.set()

        async with scaler as same:
            assert same is scaler and sampling() == 1
            await asyncio.to_thread(entered.wait, 10)
            ticking = asyncio.create_task(tick())
        assert sampling() == 0
        ticking.cancel()
        return turns

    assert asyncio.run(watch()) >= 50, "the loop stood still while the sampler's thread was waited for"


def actions(scaler: ProactiveScaler) -> list[Callable[[], object]]:
    return [
        scaler.start_continuous_monitoring,
        scaler.stop_continuous_monitoring,
        lambda: scaler.check_preflight_resources("generate", "medium", tokens=10),
        lambda: scaler.check_preflight_resources(),
        lambda: scaler.record_performance("generate", 0.1, ok=False),
        scaler.should_upgrade_model,
        lambda: scaler.initiate_graceful_degradation("a test", immediate=True),
        scaler.analyze_resource_trends,
        lambda: scaler.counts,
    ]


def storm(scaler: ProactiveScaler, *more: Callable[[], object], seconds: float = 1.5) -> None:
    """Eight threads that do anything at all, for so many seconds; then the last stop."""
    patience = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        _storm(scaler, more, seconds)
    finally:
        sys.setswitchinterval(patience)
    scaler.stop_continuous_monitoring()
    assert sampling() == 0


def _storm(scaler: ProactiveScaler, more: Sequence[Callable[[], object]], seconds: float) -> None:
    end = time.monotonic() + seconds

    def work(seed: int) -> None:
        chosen, deeds = random.Random(seed), [*actions(scaler), *more]
        while time.monotonic() < end:
            chosen.choice(deeds)()

    for thread in [Within(lambda seed=seed: work(seed)) for seed in range(8)]:
        thread.ended(seconds + 20)


@pytest.mark.slow
@pytest.mark.parametrize("dry_run", [False, True])
def test_eight_threads_on_this_machine(dry_run: bool, caplog: pytest.LogCaptureFixture) -> None:
    scaler = ProactiveScaler(LADDER, QUICK, dry_run=dry_run)
    storm(scaler)
    seen = threading.Event()
    scaler.outlooks.subscribe(lambda _: seen.set())
    with scaler:
        assert seen.wait(10), "the stream died"
        assert scaler.check_preflight_resources(rung="small").known
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.slow
def test_eight_threads_on_a_source_that_was_given(caplog: pytest.LogCaptureFixture) -> None:
    source: Subject[Sample] = Subject()
    residencies: Subject[Residency] = Subject()
    scaler = ProactiveScaler(LADDER, Settings(), source, residencies=residencies)
    made: list[Decision] = []
    scaler.decisions.subscribe(made.append)
    clock, lock = iter(range(10**9)), threading.Lock()

    def push() -> None:
        with lock:
            source.on_next(Sample(float(next(clock)), {"ram": Pool(1000, 100 + next(clock) % 900)}))

    storm(scaler, push, lambda: residencies.on_next(Residency(0.0, "ready", "large")))
    made.clear()
    with scaler:
        residencies.on_next(Residency(0.0, "ready", "large"))
        source.on_next(Sample(float(next(clock)), {"ram": Pool(1000, 600, 500)}))
        assert scaler.initiate_graceful_degradation("still alive") is not None and made
    assert not source.observers and not residencies.observers
    assert not [record for record in caplog.records if record.exc_info]
