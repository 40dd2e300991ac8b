import math
from collections.abc import Callable
from typing import Any

import pytest
from gearshift.operators import Stamped, hysteresis
from gearshift.operators.hysteresis import SchmittLevels, SchmittTrigger
from gearshift.operators.testing import marble, run, series
from hypothesis import given
from hypothesis import strategies as st


def test_is_entered_at_high_and_left_at_low() -> None:
    values = {"m": 0.75, "h": 0.8, "l": 0.7}
    source = "mhmmlmmh"
    expect = "FTTTFFFT"
    out = run(hysteresis(0.7, 0.8), series(source, values))
    assert marble(out, len(source), {True: "T", False: "F"}) == expect


def test_each_level_is_entered_at_its_high_and_left_at_its_low() -> None:
    use = {str(i): i / 10 for i in range(10)}
    levels = [(0.2, 0.4), (0.5, 0.7), (0.8, 0.9)]
    source = "034356598742190"
    expect = "001111132210030"
    assert marble(run(hysteresis(levels=levels), series(source, use)), len(source)) == expect


@given(st.lists(st.floats(allow_nan=True), max_size=60))
def test_never_changes_twice_without_crossing_the_gap(values: list[float]) -> None:
    out = run(hysteresis(-1, 1), [Stamped(float(t), v) for t, v in enumerate(values)])
    state = False
    for value, item in zip(values, out, strict=True):
        if item.value != state:
            assert value >= 1 if item.value else value <= -1
        state = item.value


@given(
    st.lists(st.floats(allow_nan=True) | st.integers(-12, 12), max_size=60),
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=5),
)
def test_levels_are_as_many_triggers_side_by_side(values: list[float], shape: list[tuple[int, int]]) -> None:
    levels, low, high = [], -10, -10
    for step, width in shape:
        low, high = low + step, max(high, low + step) + width
        levels.append((low, high))
    together, apart = SchmittLevels(levels), [SchmittTrigger(low, high) for low, high in levels]
    for value in values:
        assert together.update(value) == sum(trigger.update(value) for trigger in apart)


def test_nan_repeats_the_state_and_infinities_count() -> None:
    items = [Stamped(float(t), v) for t, v in enumerate([3.0, math.nan, -math.inf, math.nan, math.inf])]
    assert [s.value for s in run(hysteresis(1, 2), items)] == [True, True, False, False, True]
    assert [s.value for s in run(hysteresis(levels=[(1, 2), (3, 4)]), items)] == [1, 1, 0, 0, 2]


def test_initial_is_the_state_before_the_first_item() -> None:
    assert [s.value for s in run(hysteresis(1, 2, initial=True), [Stamped(0.0, 1.5)])] == [True]
    assert [s.value for s in run(hysteresis(levels=[(1, 2), (3, 4)], initial=2), [Stamped(0.0, 3.5)])] == [2]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: hysteresis(0.9, 0.8), ValueError, "low must be below high, got low=0.9 high=0.8"),
        (lambda: hysteresis(0.8, 0.8), ValueError, "low must be below high"),
        (lambda: hysteresis(math.nan, 0.8), ValueError, "low must be a finite number, got low=nan"),
        (lambda: hysteresis(0.7, "0.8"), TypeError, "high must be a number, got high='0.8'"),
        (lambda: hysteresis(0.7), TypeError, "needs both low and high, or levels, got low=0.7 high=None"),
        (lambda: hysteresis(), TypeError, "needs both low and high, or levels"),
        (lambda: hysteresis(0.7, 0.8, levels=[(1, 2)]), ValueError, "give either low and high or levels"),
        (lambda: hysteresis(levels=[]), ValueError, "levels must hold at least one"),
        (lambda: hysteresis(levels=[0.7, 0.8]), ValueError, r"levels must hold pairs .* got levels\[0\]=0.7"),
        (lambda: hysteresis(levels=[(2, 1)]), ValueError, r"levels\[0\] low must be below levels\[0\] high"),
        (lambda: hysteresis(levels=[(1, 4), (2, 3)]), ValueError, r"levels must rise, got levels\[0\] high=4"),
        (lambda: hysteresis(levels=[(1, 2)], initial=2), ValueError, "a level from 0 to 1, got initial=2"),
        (lambda: hysteresis(levels=5), TypeError, "levels must be a sequence of .* got levels=5"),
        (lambda: hysteresis(0, 1, initial="on"), TypeError, "initial must be True or False, got initial='on'"),
    ],
)  # fmt: skip
def test_a_bad_argument_is_named(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
