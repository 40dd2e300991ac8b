"""Starts, stops and questions from any thread and in any order."""

import asyncio
import threading
import time
from typing import Any

import pytest
import reactivex
from gearshift.pipeline import Decision, Pool, ProactiveScaler, Reading, Residency, Sample, Sampler, Settings
from gearshift.pipeline.testing import ScriptedProbe, samples_of
from reactivex import Subject
from reactivex.disposable import Disposable

from tests.pipeline.scaling import LADDER, QUICK, Within, sampler, sampling
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("nothing_is_left")


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
    until(lambda: len(samples) == 3 and not sampling())
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
    until(lambda: len(samples) > 8 and sampling() == 1)
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
    until(lambda: scaler._runs._current is None)
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
    until(lambda: scaler._runs._current is None)
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
        until(lambda count=count: len(samples) == count)
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
