import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from gearshift.operators import Stamped, rate_limit
from gearshift.operators.testing import marble, run, series
from hypothesis import given
from hypothesis import strategies as st

NUMBERS = {str(i): i for i in range(10)}


@pytest.mark.parametrize(
    ("source", "expect"),
    [
        ("1999999999", "1333555777"),
        ("9111111111", "9777555333"),
        ("1555111111", "1333111111"),
        ("5999111111", "5777555333"),
        ("2---9--9--9", "2---4--6--8"),
    ],
)
def test_moves_by_two_in_any_three_seconds(source: str, expect: str) -> None:
    assert marble(run(rate_limit(2, per=3), series(source, NUMBERS)), len(source)) == expect


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(-20, 20)), max_size=60),
    st.integers(1, 6),
    st.integers(1, 10),
)
def test_equals_the_scaling_policies_of_the_horizontal_pod_autoscaler(
    steps: list[tuple[int, int]], changes: int, per: int
) -> None:
    items, now = [], 0
    for step, value in steps:
        now += step
        items.append(Stamped(float(now), value))
    events: list[tuple[float, int]] = []  # when the output changed, and by how much
    expect: list[Stamped[int]] = []
    for item in items:
        current = expect[-1].value if expect else item.value
        start = current - sum(by for at, by in events if at > item.time - per)
        most, least = max(current, start + changes), min(current, start - changes)
        out = min(max(item.value, least), most)
        if out != current:
            events.append((item.time, out - current))
        expect.append(Stamped(item.time, out))
    assert run(rate_limit(changes, per=per), items) == expect


@given(st.lists(st.tuples(st.floats(0, 4), st.floats(-1e6, 1e6)), max_size=60), st.floats(0.1, 100), st.floats(0.1, 9))
def test_the_output_is_near_where_it_was(steps: list[tuple[float, float]], changes: float, per: float) -> None:
    items, now = [], 0.0
    for step, value in steps:
        now += step
        items.append(Stamped(now, value))
    out = run(rate_limit(changes, per=per), items)
    for i, item in enumerate(out):
        before = [o.value for o in out[:i] if o.time <= item.time - per]
        start = before[-1] if before else out[0].value
        last = out[i - 1].value if i else start
        assert min(last, start - changes) <= item.value <= max(last, start + changes)


def test_numbers_that_are_none_repeat_the_output() -> None:
    items = [Stamped(float(t), v) for t, v in enumerate([1.0, math.nan, math.inf, -math.inf, 2.0])]
    assert [s.value for s in run(rate_limit(5, per=1), items)] == [1.0, 1.0, 1.0, 1.0, 2.0]


@pytest.mark.parametrize("number", [np.uint8, np.int64, np.float32, Fraction])
def test_narrow_numbers_do_not_wrap_around(number: Any) -> None:
    draw = [255, 0, 7, 254, 255, 1, 0, 0, 200]
    plain = [s.value for s in run(rate_limit(3, per=2), [Stamped(t, v) for t, v in enumerate(draw)])]
    narrow = run(rate_limit(number(3), per=number(2)), [Stamped(number(t), number(v)) for t, v in enumerate(draw)])
    assert [s.value for s in narrow] == plain


def test_changes_at_one_moment_reach_no_further_than_one() -> None:
    assert [s.value for s in run(rate_limit(1, per=5), [Stamped(0.0, v) for v in (1, 9, 9, -9, 9)])] == [1, 2, 2, 0, 2]


def test_initial_is_where_it_starts_from() -> None:
    assert [s.value for s in run(rate_limit(2, per=9, initial=5), series("9", NUMBERS))] == [7]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: rate_limit(0, per=1), "changes must be .* got changes=0"),
        (lambda: rate_limit(1, per=0), "per must be .* got per=0"),
        (lambda: rate_limit(1, per=1, initial=math.nan), "initial must be .* got initial=nan"),
    ],
)
def test_a_bad_argument_is_named(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
