import random
from itertools import pairwise

import numpy as np
import pytest
from gearshift.operators import Stamped, trend
from gearshift.operators.testing import run
from gearshift.operators.theil_sen import TheilSenWindow
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

STEPS = st.lists(st.tuples(st.sampled_from([0.5, 1.0, 2.5, 30.0]), st.floats(-1e6, 1e6)), min_size=2, max_size=60)


@given(STEPS, st.floats(1, 12))
def test_equals_scipy_where_all_pairs_are_taken(steps: list[tuple[float, float]], window: float) -> None:
    state = TheilSenWindow(window, pairs=1000)
    times = np.cumsum([step for step, _ in steps])
    values = np.array([value for _, value in steps])
    for t, v in zip(times.tolist(), values.tolist(), strict=True):
        line = state.update(v, t)
        assert line is not None
        kept = (times <= t) & (times >= t - window)
        if kept.sum() < 2:
            assert (line.level, line.slope, line.spread) == (v, 0.0, 0.0)
            continue
        reference = stats.theilslopes(values[kept], times[kept], method="joint")
        slope, level = reference.slope, reference.intercept + reference.slope * t
        residuals = values[kept] - (reference.intercept + slope * times[kept])
        assert line.slope == pytest.approx(slope, rel=1e-9, abs=1e-6)
        assert line.level == pytest.approx(level, rel=1e-9, abs=1e-5)
        assert line.spread == pytest.approx(stats.median_abs_deviation(residuals, scale="normal"), rel=1e-6, abs=1e-4)


@given(STEPS, st.integers(1, 6))
def test_equals_its_definition_where_pairs_are_sampled(steps: list[tuple[float, float]], pairs: int) -> None:
    state, points, slopes, now = TheilSenWindow(60, pairs=pairs), [], [], 0.0
    for step, value in steps:
        now += step
        line = state.update(value, now)
        points = [(t, v) for t, v in points if t >= now - 60]
        partners = [points[int(i * max(1, len(points) / pairs))] for i in range(min(len(points), pairs))]
        slopes += [(t, (value - v) / (now - t)) for t, v in partners]
        slopes = [(t, slope) for t, slope in slopes if t >= now - 60]
        points.append((now, value))
        assert line is not None
        assert line.slope == pytest.approx(float(np.median([s for _, s in slopes] or [0.0])), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("share", [0.1, 0.25])
def test_a_quarter_of_outliers_does_not_bend_it(share: float) -> None:
    draw = random.Random(4)
    items = [
        Stamped(float(t), 3.0 * t + draw.gauss(0, 1) + (draw.choice([500, 5000]) if draw.random() < share else 0))
        for t in range(3000)
    ]
    robust, squares = run(trend(60, method="theil-sen"), items), run(trend(60), items)
    errors = [abs(line.slope - 3) for line in robust[100:]]
    assert max(errors) < 0.25
    assert np.median([line.spread for line in robust[100:]]) == pytest.approx(1, abs=0.6)
    assert max(abs(line.slope - 3) for line in squares[100:]) > 20


@given(STEPS)
def test_moves_with_shift_and_scale_as_a_line_does(steps: list[tuple[float, float]]) -> None:
    assume(all(abs(a[1] - b[1]) > 1e-3 for a, b in pairwise(steps)))
    plain, moved, now = TheilSenWindow(20), TheilSenWindow(20), 0.0
    for step, value in steps:
        now += step
        line, other = plain.update(value, now), moved.update(2 * value + 64, now + 1024)
    assert line is not None and other is not None
    assert other.slope == pytest.approx(2 * line.slope, rel=1e-6, abs=1e-6)
    assert other.level == pytest.approx(2 * line.level + 64, rel=1e-6, abs=1e-4)
    assert other.spread == pytest.approx(2 * line.spread, rel=1e-6, abs=1e-4)


@pytest.mark.parametrize(("pairs", "error"), [(0, ValueError), (-2, ValueError), (1.5, TypeError)])
def test_a_bad_number_of_pairs_is_named(pairs: int, error: type[Exception]) -> None:
    with pytest.raises(error, match=f"got pairs={pairs}"):
        TheilSenWindow(60, pairs=pairs)
