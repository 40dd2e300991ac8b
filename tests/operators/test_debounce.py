import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from gearshift.operators import Stamped, debounce
from gearshift.operators.testing import marble, run, series
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("source", "expect"),
    [
        ("FFFTFTTTTFFF", "--FFFFFTTTTF"),
        ("FTFTFTFTFTFT", "------------"),
        ("F-----------", "------------"),
        ("F----F------", "-----F------"),
    ],
)
def test_a_value_counts_once_it_has_lasted_two_seconds(source: str, expect: str) -> None:
    assert marble(run(debounce(2), series(source)), len(source)) == expect


@pytest.mark.parametrize(
    ("source", "expect"),
    [
        ("1111222211111", "---1122222211"),
        ("1111212121111", "---1111111111"),
        ("1111322222200", "---1112222222"),
    ],
)
def test_a_rise_and_a_fall_have_waits_of_their_own(source: str, expect: str) -> None:
    numbers = {c: int(c) for c in "0123"}
    assert marble(run(debounce(rise=1, fall=3), series(source, numbers)), len(source)) == expect


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(0, 3)), max_size=50), st.floats(0, 6))
def test_equals_a_search_through_all_that_came_before(steps: list[tuple[float, int]], seconds: float) -> None:
    items, now = [], 0.0
    for step, value in steps:
        now += step
        items.append(Stamped(now, value))
    expect: list[Stamped[int]] = []
    for i, item in enumerate(items):
        run_begins = max((k + 1 for k in range(i) if items[k].value != item.value), default=0)
        if item.time - items[run_begins].time >= seconds - 1e-6:  # a microsecond early is in time
            expect.append(item)
        elif expect:
            expect.append(Stamped(item.time, expect[-1].value))
    assert run(debounce(seconds), items) == expect


def test_zero_seconds_passes_everything() -> None:
    assert marble(run(debounce(0), series("aabba")), 5) == "aabba"


def test_time_going_back_does_not_shorten_a_wait() -> None:
    items = [Stamped(10.0, "a"), Stamped(3.0, "b"), Stamped(11.0, "b"), Stamped(12.0, "b")]
    assert run(debounce(2), items) == [Stamped(12.0, "b")]


def test_nan_neither_lasts_nor_interrupts() -> None:
    assert run(debounce(0), [Stamped(float(t), math.nan) for t in range(5)]) == []
    items = [Stamped(float(t), v) for t, v in enumerate([1, 1, math.nan, 1, 2, math.nan, 2])]
    assert [s.value for s in run(debounce(2), items)] == [1, 1, 1, 2]


def test_nan_lets_no_rise_through_without_its_wait() -> None:
    items = [Stamped(t, v) for t, v in [(0.0, 1), (100.0, 1), (101.0, math.nan), (102.0, 5), (163.0, 5)]]
    assert [s.value for s in run(debounce(rise=60, fall=0), items)] == [1, 1, 1, 5]


@pytest.mark.parametrize("epoch", [0.0, 1.7e9])
def test_a_wait_is_no_sample_longer_for_how_floats_round(epoch: float) -> None:
    settle = run(debounce(0.3), [Stamped(epoch + i / 10, i >= 100) for i in range(200)])
    rises = [i for i, (a, b) in enumerate(pairwise(settle)) if (a.value, b.value) == (False, True)]
    assert [round((settle[i + 1].time - epoch) * 10) for i in rises] == [103]


def test_none_is_a_value_like_any_other() -> None:
    assert run(debounce(1), series("nnaann", {"n": None})) == series("-nnaan", {"n": None})


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: debounce(-1), ValueError, "seconds must be .* got seconds=-1"),
        (lambda: debounce(rise=1, fall=math.inf), ValueError, "fall must be a finite number, got fall=inf"),
        (lambda: debounce(rise=1), TypeError, "needs seconds, or both rise and fall, got rise=1 fall=None"),
        (lambda: debounce(), TypeError, "needs seconds"),
        (lambda: debounce(1, fall=2), ValueError, "give either seconds or rise and fall, got seconds=1"),
    ],
)
def test_a_bad_argument_is_named(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
