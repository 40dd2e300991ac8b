from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest
import reactivex
from gearshift.operators import staleness
from gearshift.operators.testing import START
from reactivex import Subject
from reactivex import operators as ops
from reactivex.scheduler import EventLoopScheduler
from reactivex.testing import ReactiveTest, TestScheduler


def play(times: list[float], *, end: float | None = None, seconds: float = 5, until: float = 100) -> list[tuple]:
    """When (seconds from START) and what `staleness` emits for items at these times."""
    scheduler = TestScheduler()
    records = [ReactiveTest.on_next(START + t, object()) for t in times]
    if end is not None:
        records.append(ReactiveTest.on_completed(START + end))
    source = scheduler.create_hot_observable(records)
    seen = scheduler.start(lambda: source.pipe(staleness(seconds)), disposed=START + until)
    expect = START + (until if end is None else end)
    assert [(s.subscribe, s.unsubscribe) for s in source.subscriptions] == [(START, expect)]
    return [(round(m.time - START, 6), m.value.value if m.value.kind == "N" else m.value.kind) for m in seen.messages]


def test_tells_silence_and_its_end() -> None:
    assert play([1, 3, 7, 20, 21]) == [(1, False), (12, True), (20, False), (26, True)]


def test_tells_that_nothing_ever_came() -> None:
    assert play([]) == [(5, True)]


def test_ends_with_its_source_and_tells_nothing_after() -> None:
    assert play([1, 2], end=3) == [(1, False), (3, "C")]
    assert play([], end=1) == [(1, "C")]


def test_an_item_just_in_time_is_no_silence() -> None:
    assert play([4.9, 9.8, 14.7], end=15) == [(4.9, False), (15, "C")]


def test_one_timer_is_under_way_however_many_items_come() -> None:
    class Counting(TestScheduler):
        timers = 0

        def schedule_relative(self, duetime: Any, action: Any, state: Any = None) -> Any:
            self.timers += 1
            return super().schedule_relative(duetime, action, state)

    scheduler, source = Counting(), Subject[int]()
    seen: list[bool] = []
    source.pipe(staleness(10, scheduler=scheduler)).subscribe(seen.append)
    for i in range(1000):
        source.on_next(i)
    assert scheduler.timers <= 2 and seen == [False]


def test_a_clock_that_is_set_back_begins_a_new_wait() -> None:
    class Clock(TestScheduler):
        back = timedelta()

        @property
        def now(self) -> datetime:
            return super().now - self.back

    scheduler, source = Clock(), Subject[int]()
    seen: list[bool] = []
    source.pipe(staleness(10, scheduler=scheduler)).subscribe(seen.append)
    source.on_next(1)
    scheduler.back = timedelta(hours=1)
    scheduler.advance_to(25)
    assert seen == [False, True]


def test_runs_on_a_real_clock_and_thread() -> None:
    told, loop, source = Event(), EventLoopScheduler(), Subject[int]()
    seen: list[tuple[bool, datetime]] = []

    def tell(stale: bool) -> None:
        seen.append((stale, datetime.now(UTC)))
        if stale:
            told.set()

    subscription = source.pipe(staleness(0.05, scheduler=loop)).subscribe(tell)
    source.on_next(1)
    assert told.wait(10)
    subscription.dispose()
    loop.dispose()
    assert [stale for stale, _ in seen] == [False, True]
    assert seen[1][1] - seen[0][1] >= timedelta(seconds=0.045)


@pytest.mark.parametrize("times", [[3.73, 4.69], [0.1, 0.2, 0.3], [1e-7]])
def test_clocks_that_round_make_no_timer_spin(times: list[float]) -> None:
    seen = play([1.7e9 % 1000 + t for t in times], seconds=1.1, until=1000)
    last = 1.7e9 % 1000 + times[-1]
    assert seen[-1] == (pytest.approx(last + 1.1, abs=1e-5), True)


def test_its_own_scheduler_comes_before_the_one_of_the_subscription() -> None:
    own, other, seen = TestScheduler(), TestScheduler(), []
    reactivex.never().pipe(staleness(5, scheduler=own)).subscribe(seen.append, scheduler=other)
    other.advance_to(10)
    assert seen == []
    own.advance_to(10)
    assert seen == [True]


def test_disposing_stops_its_timer() -> None:
    scheduler, seen = TestScheduler(), []
    reactivex.never().pipe(staleness(5, scheduler=scheduler)).subscribe(seen.append).dispose()
    scheduler.advance_to(100)
    assert seen == []


@pytest.mark.slow
def test_an_error_and_a_timer_pass_the_same_gate_as_the_items() -> None:
    scheduler, source = TestScheduler(), Subject[int]()
    order: list[str] = []

    def take(stale: bool) -> None:
        if not stale:
            source.on_error(OSError("gone"))
            scheduler.advance_to(100)
        order.append("stale" if stale else "heard")

    source.pipe(staleness(5, scheduler=scheduler)).subscribe(take, lambda _: order.append("error"))
    source.on_next(1)
    assert order == ["heard", "error"]


def test_without_a_scheduler_it_uses_the_default_timer_of_rxpy() -> None:
    seen = reactivex.never().pipe(staleness(0.01), ops.first()).run()
    assert seen is True


def test_a_bad_argument_is_named() -> None:
    with pytest.raises(ValueError, match="seconds must be .* got seconds=0"):
        staleness(0)
    with pytest.raises(ValueError, match="seconds must be at most .* got seconds=1e[+]300"):
        staleness(1e300)
    with pytest.raises(TypeError, match="scheduler must be a scheduler of reactivex or None, got scheduler=5"):
        staleness(5, scheduler=5)
