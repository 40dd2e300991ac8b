import math
import random

import numpy as np
import pytest
from gearshift.operators import Trend
from gearshift.operators.holt import HoltWindow
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter


def lines(times: list[float], values: list[float], window: float) -> list[Trend]:
    state = HoltWindow(window)
    out = [state.update(v, t) for t, v in zip(times, values, strict=True)]
    assert all(line is not None for line in out)
    return [line for line in out if line is not None]


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=80), st.floats(1, 100))
def test_equals_a_linear_filter_where_sampling_is_regular(values: list[float], window: float) -> None:
    a, b = 1 - math.exp(-4 / window), 1 - math.exp(-1 / window)
    out = lines([float(t) for t in range(len(values))], values, window)
    start = values[0] + (values[1] - values[0]) * np.arange(len(values))  # what the first two items make of the rest
    numerator = [a, -a * (1 - b)]
    denominator = [1, -(1 - b) - (1 - a) - (1 - a) * b, (1 - b) * (1 - a) + (1 - a) * b]
    level = start + lfilter(numerator, denominator, np.array(values) - start)
    slope, expected = values[1] - values[0], [0.0, values[1] - values[0]]
    variances = [0.0, 0.0]
    for i in range(2, len(values)):
        variances.append(b * (values[i] - level[i - 1] - slope) ** 2 + (1 - b) * variances[-1])
        slope = b * (level[i] - level[i - 1]) + (1 - b) * slope
        expected.append(slope)
    scale = max(1.0, *(abs(v) for v in values))
    assert [line.level for line in out] == pytest.approx(level.tolist(), abs=1e-8 * scale)
    assert [line.slope for line in out] == pytest.approx(expected, abs=1e-8 * scale)
    assert [line.spread for line in out] == pytest.approx(np.sqrt(variances).tolist(), abs=1e-6 * scale)


def test_irregular_sampling_does_not_bend_it() -> None:
    draw = random.Random(2)
    irregular = [0.0]
    while irregular[-1] < 2000:
        irregular.append(irregular[-1] + draw.choice([0.1, 0.2, 1.0, 3.0]))
    dense = [i / 10 for i in range(20_000)]
    wave = [math.sin(t / 100) for t in irregular]
    seen = lines(irregular, wave, 60)
    reference = {round(x.time, 1): x for x in lines(dense, [math.sin(t / 100) for t in dense], 60)}
    pairs = [(line, reference[round(line.time, 1)]) for line in seen if 400 < line.time < 1990]
    assert len(pairs) > 500
    assert max(abs(a.level - b.level) for a, b in pairs) < 0.01
    assert max(abs(a.slope - b.slope) for a, b in pairs) < 0.01 * 0.01  # the wave's steepest is 0.01


def test_a_step_is_followed_without_ringing() -> None:
    out = lines([i / 10 for i in range(6000)], [0.0] * 100 + [1.0] * 5900, 60)
    levels = [line.level for line in out]
    assert levels[-1] == pytest.approx(1, abs=1e-3)
    crossings = sum((a - 1) * (b - 1) < 0 for a, b in zip(levels, levels[1:], strict=False))
    assert crossings <= 1


def test_spread_tends_to_the_standard_deviation_of_one_step_errors() -> None:
    draw = random.Random(3)
    out = lines([float(t) for t in range(20_000)], [draw.gauss(0, 2) for _ in range(20_000)], 200)
    assert np.mean([line.spread for line in out[2000:]]) == pytest.approx(2, rel=0.1)


def test_equal_times_move_nothing_and_are_counted() -> None:
    state = HoltWindow(60)
    first, second = state.update(1, 0), state.update(3, 1)
    again, close, later = state.update(99, 1), state.update(-7, 1 + 1e-10), state.update(5, 2)
    assert first is not None and second is not None and again is not None and close is not None and later is not None
    assert (again.level, again.slope, again.count) == (second.level, second.slope, 3)
    assert (close.level, close.time, close.count) == (second.level, 1, 4)
    assert (later.level, later.slope, later.span) == (5, 2, 2)


def test_a_bad_time_constant_is_named() -> None:
    with pytest.raises(ValueError, match="level_seconds=0"):
        HoltWindow(60, level_seconds=0)
    with pytest.raises(ValueError, match="level_seconds must be .* got level_seconds=0.0"):
        HoltWindow(5e-324)
