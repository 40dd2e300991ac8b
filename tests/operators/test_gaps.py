import math
from typing import Any

import pytest
import reactivex
from gearshift.operators import Stamped, debounce, reset_on_gap, trend
from hypothesis import given
from hypothesis import strategies as st
from reactivex import Subject
from reactivex import operators as ops

from tests.marbles import run


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
