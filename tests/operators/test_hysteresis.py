import math

import pytest
from gearshift.operators import Stamped, hysteresis
from hypothesis import given
from hypothesis import strategies as st

from tests.marbles import marble, run, series


def test_is_entered_at_high_and_left_at_low() -> None:
    values = {"m": 0.75, "h": 0.8, "l": 0.7}
    source = "mhmmlmmh"
    expect = "FTTTFFFT"
    out = run(hysteresis(low=0.7, high=0.8), series(source, values))
    assert marble(out, len(source), {True: "T", False: "F"}) == expect


@given(st.lists(st.floats(allow_nan=True), max_size=60))
def test_never_changes_twice_without_crossing_the_gap(values: list[float]) -> None:
    out = run(hysteresis(low=-1, high=1), [Stamped(float(t), v) for t, v in enumerate(values)])
    state = False
    for value, item in zip(values, out, strict=True):
        if item.value != state:
            assert value >= 1 if item.value else value <= -1
        state = item.value


def test_nan_repeats_the_state() -> None:
    out = run(hysteresis(low=1, high=2), [Stamped(0.0, 3.0), Stamped(1.0, math.nan)])
    assert [s.value for s in out] == [True, True]


def test_low_above_high_is_named_with_both_values() -> None:
    with pytest.raises(ValueError, match="low must be below high, got low=0.9 high=0.8"):
        hysteresis(low=0.9, high=0.8)
