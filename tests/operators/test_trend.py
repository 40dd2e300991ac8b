import math

import numpy as np
import pytest
from gearshift.operators import Stamped, trend
from gearshift.operators.trend import TrendWindow
from hypothesis import given
from hypothesis import strategies as st

from tests.marbles import run


@given(
    st.lists(st.tuples(st.floats(0, 10), st.floats(-1e6, 1e6)), min_size=3, max_size=60),
    st.floats(1, 60),
    st.sampled_from([0.0, 1.7e9]),
)
def test_equals_a_batch_fit_over_the_window(steps: list[tuple[float, float]], window: float, epoch: float) -> None:
    state, times, values = TrendWindow(window=window), [], []
    now = epoch
    for step, value in steps:
        now += step
        times.append(now)
        values.append(value)
        point = state.update(now, value)
        assert point is not None
        t, v = np.array(times), np.array(values)
        t, v = t[t >= now - window], v[np.array(times) >= now - window]
        assert point.count == len(t)
        if point.span < 1e-3:
            continue
        slope, level = np.polyfit(t - now, v, 1)
        scale = max(1.0, float(np.abs(v).max()))
        assert point.level == pytest.approx(level, abs=1e-5 * scale)
        assert point.slope == pytest.approx(slope, abs=1e-5 * scale / point.span)
        residual = np.sqrt(np.mean((v - (level + slope * (t - now))) ** 2))
        assert point.spread == pytest.approx(residual, abs=1e-3 * scale)


def test_time_to_a_level_that_is_reached_passed_or_never_reached() -> None:
    rising = run(trend(window=60), [Stamped(float(t), 10.0 * t) for t in range(5)])[-1]
    assert rising.time_to(100) == pytest.approx(6)
    assert rising.time_to(40) == 0.0
    falling = run(trend(window=60), [Stamped(float(t), -10.0 * t) for t in range(5)])[-1]
    assert falling.time_to(100) is None


def test_nan_infinity_and_time_going_back_are_left_out() -> None:
    clean = [Stamped(0.0, 1.0), Stamped(1.0, 2.0), Stamped(2.0, 3.0)]
    dirty = [clean[0], Stamped(0.5, math.nan), clean[1], Stamped(1.5, math.inf), Stamped(0.2, 99.0), clean[2]]
    assert run(trend(window=60), dirty) == run(trend(window=60), clean)


def test_equal_times_have_no_slope() -> None:
    points = run(trend(window=60), [Stamped(1.0, 5.0), Stamped(1.0, 7.0)])
    assert [(p.slope, p.count) for p in points] == [(0.0, 1), (0.0, 2)]


@pytest.mark.parametrize("window", [0, -1, math.nan, math.inf])
def test_a_bad_window_is_named(window: float) -> None:
    with pytest.raises(ValueError, match="seconds|window"):
        trend(window=window)
