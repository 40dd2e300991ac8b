import math
from typing import Any

import pytest
import reactivex
from gearshift.operators import Stamped, debounce, reset_on_gap, trend
from gearshift.operators.testing import run
from hypothesis import given
from hypothesis import strategies as st
from reactivex import Subject
from reactivex import operators as ops
from reactivex.testing import TestScheduler


def test_a_trend_begins_anew_after_a_gap_and_after_a_clock_set_back() -> None:
    day = [Stamped(float(t), 5.0 * t) for t in range(10)]
    night = [Stamped(t + 8 * 3600.0, 1.0 - v) for t, v in day]
    lines = run(reset_on_gap(60, trend(1e6)), [*day, *night, *day])
    assert lines == run(trend(1e6), day) + run(trend(1e6), night) + run(trend(1e6), day)


@given(st.lists(st.floats(-20, 20), max_size=40))
def test_equals_a_fresh_operator_for_each_session(steps: list[float]) -> None:
    sessions: list[list[Stamped[int]]] = [[]]
    now, newest = 0.0, None
    for i, step in enumerate(steps):
        now += step
        if newest is not None and abs(now - newest) > 10:
            sessions.append([])
            newest = now
        newest = now if newest is None else max(newest, now)
        sessions[-1].append(Stamped(now, i))
    expect = [s for session in sessions for s in run(ops.scan(lambda n, _: n + 1, 0), session)]
    items = [item for session in sessions for item in session]
    assert run(reset_on_gap(10, ops.scan(lambda n, _: n + 1, 0)), items) == expect


def test_what_an_operator_holds_at_a_gap_is_passed_on() -> None:
    items = [Stamped(float(t), t) for t in (0, 1, 50, 51, 52)]
    lists = run(reset_on_gap(10, ops.to_list()), items)
    assert [[s.value for s in held] for held in lists] == [[0, 1], [50, 51, 52]]


def test_an_operator_that_completes_of_its_own_ends_the_stream() -> None:
    source: Subject[Any] = Subject()
    seen: list[Any] = []
    source.pipe(reset_on_gap(10, ops.take(2)), ops.materialize()).subscribe(seen.append)
    for t in (0.0, 1.0, 2.0, 100.0):
        source.on_next(Stamped(t, t))
    assert [n.kind for n in seen] == ["N", "N", "C"] and not source.observers


NAPS = [Stamped(t, t) for t in (0.0, 1.0, 50.0, 51.0)]


def test_completion_asked_for_while_a_session_is_flushed_comes_after_the_item_that_ended_it() -> None:
    source: Subject[Any] = Subject()
    seen: list[Any] = []
    stop = ops.do_action(lambda _: source.on_completed())
    source.pipe(reset_on_gap(10, ops.to_list()), stop, ops.materialize()).subscribe(seen.append)
    for item in NAPS[:3]:
        source.on_next(item)
    assert [n.value if n.kind == "N" else n.kind for n in seen] == [NAPS[:2], [NAPS[2]], "C"]


def test_an_item_pushed_while_a_session_is_flushed_is_not_lost() -> None:
    source: Subject[Any] = Subject()
    extra = Stamped(50.5, "extra")
    seen: list[Any] = []

    def take(session: list[Any]) -> None:
        seen.append(session)
        if len(seen) == 1:
            source.on_next(extra)

    source.pipe(reset_on_gap(10, ops.to_list())).subscribe(take)
    for item in NAPS:
        source.on_next(item)
    source.on_completed()
    assert seen == [NAPS[:2], [NAPS[2], extra, NAPS[3]]]


def test_a_consumer_that_raises_at_a_gap_loses_nothing_of_the_next_session() -> None:
    source: Subject[Any] = Subject()
    seen: list[Any] = []

    def take(session: list[Any]) -> None:
        seen.append(session)
        if len(seen) == 1:
            raise OSError("disk full")

    done: list[bool] = []
    source.pipe(reset_on_gap(10, ops.to_list())).subscribe(take, on_completed=lambda: done.append(True))
    for item in NAPS:
        if item.time == 50:
            with pytest.raises(OSError, match="disk full"):
                source.on_next(item)
        else:
            source.on_next(item)
    source.on_completed()
    assert seen == [NAPS[:2], NAPS[2:]] and done == [True]


def test_an_operator_that_cannot_be_made_again_is_an_error_of_the_stream() -> None:
    made = 0

    def once(stream: Any) -> Any:
        nonlocal made
        made += 1
        if made > 1:
            raise OSError("no second one")
        return stream

    errors: list[Exception] = []
    reactivex.from_iterable(NAPS).pipe(reset_on_gap(10, once)).subscribe(on_error=errors.append)
    assert [str(e) for e in errors] == ["no second one"]


def test_an_operator_that_fails_while_it_is_flushed_is_not_made_again() -> None:
    made = 0

    def failing(stream: Any) -> Any:
        nonlocal made
        made += 1
        return reactivex.concat(stream, reactivex.throw(OSError("at the end")))

    errors: list[Exception] = []
    source: Subject[Any] = Subject()
    source.pipe(reset_on_gap(10, failing)).subscribe(on_error=errors.append)
    for item in NAPS:
        source.on_next(item)
    assert [str(e) for e in errors] == ["at the end"] and made == 1


def test_disposes_the_operator_and_hands_it_the_scheduler() -> None:
    seen: list[Any] = []

    def inner(_: Any) -> Any:
        def subscribe(_: Any, scheduler: Any = None) -> Any:
            seen.append(scheduler)
            return reactivex.disposable.Disposable(lambda: seen.append("disposed"))

        return reactivex.create(subscribe)

    given = TestScheduler()
    reactivex.never().pipe(reset_on_gap(10, inner)).subscribe(scheduler=given).dispose()
    assert seen == [given, "disposed"]


def test_several_operators_are_composed() -> None:
    items = [Stamped(t, v) for t, v in [(0.0, "a"), (1.0, "a"), (100.0, "a"), (101.0, "a")]]
    both = reactivex.compose(debounce(1), ops.map(lambda s: s.time))
    assert run(reset_on_gap(10, both), items) == [1.0, 101.0]


def test_nan_time_opens_no_gap() -> None:
    items = [Stamped(t, 1) for t in (0.0, math.nan, 5.0, math.inf, 10.0)]
    assert run(reset_on_gap(6, ops.to_list()), items) == [items]


def test_a_failing_time_selector_is_an_error_of_the_stream() -> None:
    errors: list[Exception] = []
    reactivex.of("no time").pipe(reset_on_gap(5, ops.map(str))).subscribe(on_error=errors.append)
    assert [type(e) for e in errors] == [AttributeError]


def test_a_bad_argument_is_named() -> None:
    with pytest.raises(ValueError, match="seconds must be .* got seconds=0"):
        reset_on_gap(0, trend(60))
    with pytest.raises(TypeError, match="operator must be a function, got operator=60"):
        reset_on_gap(5, 60)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="time must be a function, got time='t'"):
        reset_on_gap(5, trend(60), time="t")  # type: ignore[arg-type]
