import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from gearshift.operators import Stamped, Trend, trend
from gearshift.operators.testing import run
from gearshift.operators.trend import TrendWindow
from hypothesis import given
from hypothesis import strategies as st

EPOCH = 1.7e9
METHODS = ("ols", "theil-sen", "holt")


def exact(times: list[float], values: list[float]) -> tuple[float, float, float]:
    """Level at the last time, slope and spread of the least-squares line, in rational arithmetic."""
    n = len(times)
    t, v = [Fraction(x) for x in times], [Fraction(x) for x in values]
    mean_t, mean_v = sum(t) / n, sum(v) / n
    across = sum((x - mean_t) ** 2 for x in t)
    slope = sum((x - mean_t) * (y - mean_v) for x, y in zip(t, v, strict=True)) / across if across else Fraction(0)
    around = sum((y - mean_v - slope * (x - mean_t)) ** 2 for x, y in zip(t, v, strict=True)) / n
    return float(mean_v + slope * (t[-1] - mean_t)), float(slope), math.sqrt(around)


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.001, 0.5, 1.0, 7.25, 40.0]), st.sampled_from([-1, 1, 1e3, 1e12]))
        .flatmap(lambda pair: st.tuples(st.just(pair[0]), st.floats(-1, 1).map(lambda x: x * pair[1])))
        .filter(lambda pair: abs(pair[1]) > 1e-6),
        min_size=1,
        max_size=80,
    ),
    st.floats(1, 60),
    st.sampled_from([0.0, EPOCH]),
)
def test_equals_an_exact_fit_over_the_window(steps: list[tuple[float, float]], window: float, epoch: float) -> None:
    state, times, values, now = TrendWindow(window), [], [], epoch
    for step, value in steps:
        now += step
        times.append(now)
        values.append(value)
        line = state.update(value, now)
        assert line is not None
        kept = [i for i, t in enumerate(times) if t >= now - window]
        t, v = [times[i] for i in kept], [values[i] for i in kept]
        level, slope, spread = exact(t, v)
        width = max(v) - min(v)
        assert (line.count, line.span, line.value) == (len(t), t[-1] - t[0], value)
        assert line.level == pytest.approx(level, abs=1e-9 * width + 1e-15 * max(map(abs, v)), rel=0)
        assert line.slope == pytest.approx(slope, abs=1e-9 * width / (float(np.std(t)) or 1), rel=0)
        assert line.spread == pytest.approx(spread, abs=1e-6 * width, rel=0)


def test_does_not_drift_at_epoch_times_and_huge_values() -> None:
    draw = np.random.default_rng(7)
    times = EPOCH + np.cumsum(draw.exponential(1.0, 200_000))
    values = 1e12 + np.cumsum(draw.normal(0, 1e9, len(times)))
    state = TrendWindow(600)
    for t, v in zip(times.tolist(), values.tolist(), strict=True):
        line = state.update(v, t)
    assert line is not None
    kept = times >= times[-1] - 600
    slope, level = np.polyfit(times[kept] - times[-1], values[kept], 1)
    assert (line.level, line.slope) == pytest.approx((level, slope), rel=1e-9)
    assert line.count == int(kept.sum())


def test_a_value_that_was_a_trillion_times_larger_is_forgotten_with_its_window() -> None:
    state = TrendWindow(10)
    for t in range(100):
        line = state.update(1e37 if t % 50 == 0 else 2.0 * t, t + 0.5 * (t > 60))
    assert line is not None
    assert (line.level, line.slope) == pytest.approx((198.0, 2.0), rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_a_straight_line_is_found_exactly_however_it_is_sampled(method: Any) -> None:
    times = [0.0, 0.0, 0.25, 3.0, 3.5, 17.0, 17.0, 18.0, 30.0, 30.25]
    lines = run(trend(60, method=method), [Stamped(t, 20.0 - 3.0 * t) for t in times])
    for line in lines[2:]:
        assert (line.level, line.slope) == pytest.approx((20 - 3 * line.time, -3))
        assert line.forecast(10) == pytest.approx(line.value - 30)
    assert [line.slope for line in lines[:2]] == [0.0, 0.0]
    assert [line.count for line in lines] == list(range(1, 11))


def test_time_to_a_level_that_is_ahead_here_or_behind() -> None:
    rising = run(trend(60), [Stamped(float(t), 10.0 * t) for t in range(5)])[-1]
    assert rising.time_to(100) == pytest.approx(6)
    assert rising.time_to(rising.level) == 0.0
    assert rising.time_to(20) is None
    falling = run(trend(60), [Stamped(float(t), -10.0 * t) for t in range(5)])[-1]
    assert falling.time_to(-100) == pytest.approx(6)
    assert falling.time_to(100) is None
    assert rising.time_to(math.inf) is None
    assert Trend(0.0, 0.0, 0.0, 1e-320, 0.0, 1.0, 2).time_to(1.0) is None
    flat = run(trend(60), [Stamped(float(t), 1.0) for t in range(5)])[-1]
    assert flat.time_to(2) is None and flat.time_to(1) == 0.0


@pytest.mark.parametrize("method", METHODS)
def test_nan_infinity_and_time_going_back_are_left_out(method: Any) -> None:
    clean = [Stamped(0.0, 1.0), Stamped(1.0, 2.0), Stamped(2.0, 3.0)]
    dirty = [clean[0], Stamped(0.5, math.nan), clean[1], Stamped(1.5, math.inf), Stamped(0.2, 99.0), clean[2]]
    assert run(trend(60, method=method), dirty) == run(trend(60, method=method), clean)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("number", [np.float32, np.int64, Fraction, Decimal, int])
def test_any_kind_of_number_is_taken_in_full_precision(method: Any, number: Any) -> None:
    draw = np.random.default_rng(1).integers(0, 1000, 200).tolist()
    plain = run(trend(30, method=method), [Stamped(float(t), float(v)) for t, v in enumerate(draw)])
    other = run(trend(30, method=method), [Stamped(number(t), number(v)) for t, v in enumerate(draw)])
    assert other == plain


@pytest.mark.parametrize("method", METHODS)
def test_equal_times_have_no_slope(method: Any) -> None:
    points = run(trend(60, method=method), [Stamped(1.0, 5.0), Stamped(1.0, 7.0)])
    assert [(p.slope, p.count) for p in points] == [(0.0, 1), (0.0, 2)]


@pytest.mark.parametrize("method", METHODS)
def test_times_a_tenth_of_a_nanosecond_apart_have_no_slope(method: Any) -> None:
    points = run(trend(60, method=method), [Stamped(1.0, 5.0), Stamped(1.0 + 1e-10, 7.0)])
    assert [(p.slope, p.count) for p in points] == [(0.0, 1), (0.0, 2)]


@pytest.mark.parametrize("method", METHODS)
def test_after_a_gap_longer_than_the_window_only_the_new_item_counts(method: Any) -> None:
    if method == "holt":
        pytest.skip("keeps no items: a gap is smoothed over")
    line = run(trend(10, method=method), [*(Stamped(float(t), t) for t in range(9)), Stamped(100.0, 5)])[-1]
    assert line == Trend(100.0, 5, 5.0, 0.0, 0.0, 0.0, 1)


@given(st.lists(st.tuples(st.floats(allow_nan=True), st.floats(allow_nan=True)), max_size=40), st.sampled_from(METHODS))
def test_no_input_raises_or_leaves_a_number_that_is_none(items: list[tuple[float, float]], method: Any) -> None:
    for line in run(trend(60, method=method), [Stamped(t, v) for t, v in items]):
        assert not any(math.isnan(x) for x in line)


@pytest.mark.parametrize("window", [0, -1, math.nan, math.inf])
@pytest.mark.parametrize("method", METHODS)
def test_a_bad_window_is_named(window: float, method: Any) -> None:
    with pytest.raises(ValueError, match=f"window must be a finite number.*, got window={window}"):
        trend(window, method=method)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: trend("60"), TypeError, "window must be a number, got window='60'"),
        (lambda: trend(60, method=[]), ValueError, "method must be one of ols, theil-sen, holt, got method=.."),
        (lambda: trend(10**400), ValueError, "window must be a finite number, got window=1000"),
        (lambda: trend(True), TypeError, "window must be a number, got window=True"),
        (lambda: trend(60, method="median"), ValueError, "method must be one of ols, theil-sen, holt, got method='med"),
    ],
)
def test_a_bad_argument_is_named(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
