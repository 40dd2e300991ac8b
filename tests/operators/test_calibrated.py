import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gearshift.operators import Stamped, Trend, calibrated, trend
from gearshift.operators.calibrated import Calibrator
from gearshift.operators.testing import run
from hypothesis import given
from hypothesis import strategies as st
from reactivex import Subject

from tests.operators.series import SERIES, misses, standing_still


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 0.5, 1.0, 3.0, 9.0]), st.floats(-100, 100)), max_size=60),
    st.sampled_from([1.0, 2.0, 5.0]),
    st.sampled_from([0.1, 0.5, 0.8]),
    st.sampled_from([0.005, 0.2]),
)
def test_equals_adaptive_conformal_inference_in_batch(
    steps: list[tuple[float, float]], horizon: float, alpha: float, gamma: float
) -> None:
    state, now, made = Calibrator(horizon, alpha, window=20, gamma=gamma), 0.0, []
    errors: list[tuple[float, float]] = []
    level, margin, waiting, enough = alpha, None, [], {0.1: 9, 0.5: 2, 0.8: 4}[alpha]
    for step, value in steps:
        now += step
        slope = len(made) % 3 - 1.0

        def forecast(seconds: float, value: float = value, slope: float = slope) -> float:
            return value + slope * seconds

        due = [w for w in waiting if w[0] + horizon <= now]
        waiting = [w for w in waiting if w[0] + horizon > now]
        if due:
            then, say, had = due[-1]
            error = value - say(now - then)
            if had is not None and error > had:
                level = max(-1, level - gamma * (1 - alpha))
            elif had is not None and (error < had or level < alpha):
                level = min(1, level + gamma * alpha)
            errors.append((now, error))
            recent = [e for t, e in errors if t >= now - 20]
            known = sorted(recent if len(recent) > enough else [e for _, e in errors[-enough:]])
            n, width = len(known), known[-1] - known[0]
            if n >= enough:
                rank = math.ceil((1 - level) * (n + 1))
                margin = known[-1] + max(0, -level) * width if rank > n else known[max(0, rank - 1)]
        waiting.append((now, forecast, margin))
        made.append(value)
        bound = state.update(value, now, forecast)
        assert bound == (None if margin is None else pytest.approx(forecast(horizon) + margin))
        assert state.level == pytest.approx(level)


@pytest.mark.parametrize("name", SERIES)
def test_misses_as_often_as_asked_for(name: str) -> None:
    for horizon, share in zip((1, 10, 60), misses(SERIES[name](), (1, 10, 60), alpha=0.05), strict=True):
        assert share == pytest.approx(0.05, abs=0.01), (name, horizon)


def test_after_a_day_in_which_nothing_moved_noise_is_bounded_as_asked() -> None:
    seen = list(standing_still())
    source, bounds = Subject[Stamped[float]](), dict[int, float]()
    source.pipe(trend(60), calibrated(30, 0.05, window=600)).subscribe(
        lambda bound: bounds.__setitem__(int(bound.time), bound.value)
    )
    for t, value in enumerate(seen):
        source.on_next(Stamped(float(t), value))
    for begin in range(10_000, len(seen), 20_000):
        noise = range(begin + 100, begin + 9_900)
        assert sum(seen[t + 30] > bounds[t] for t in noise) / len(noise) == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize(("alpha", "window"), [(0.8, 5), (0.5, 5), (0.8, 6000)])
def test_an_alpha_above_a_half_is_met_with_few_errors_too(alpha: float, window: float) -> None:
    draw = random.Random(8)
    noise = [Trend(60.0 * t, v, 0.0, 0.0, 0.0, 60.0, 60) for t, v in enumerate(draw.gauss(0, 1) for _ in range(20_000))]
    bounds = {s.time: s.value for s in run(calibrated(60, alpha, window=window), noise)}
    missed = [item.value > bounds[item.time - 60] for item in noise if item.time - 60 in bounds]
    assert sum(missed) / len(missed) == pytest.approx(alpha, abs=0.01)


def test_horizons_may_come_from_an_array_or_a_generator() -> None:
    items = [Trend(float(t), 1.0, 1.0, 0.0, 0.0, 60.0, 60) for t in range(20)]
    expect = run(calibrated((1, 2), 0.5, window=9), items)
    assert run(calibrated(np.array([1, 2]), 0.5, window=9), items) == expect
    assert run(calibrated((h for h in (1, 2)), 0.5, window=9), items) == expect


def test_bounds_of_several_horizons_are_those_of_each_alone() -> None:
    draw = random.Random(5)
    items = [Stamped(float(t), draw.gauss(0, 1)) for t in range(300)]
    together = run(trend(30), items)
    both = calibrated((2, 7), 0.2, window=60)
    near, far = calibrated(2, 0.2, window=60), calibrated(7, 0.2, window=60)
    one = {s.time: s.value for s in run(near, together)}
    two = {s.time: s.value for s in run(far, together)}
    assert [(s.time, s.value) for s in run(both, together)] == [(t, (one[t], two[t])) for t in two]


def test_is_silent_until_the_errors_known_can_tell_a_quantile() -> None:
    items = [Trend(float(t), 1.0, 1.0, 0.0, 0.0, 60.0, 60) for t in range(40)]
    assert run(calibrated(3, 0.1, window=60), items)[0].time == 3 + 9 - 1


def test_the_margin_goes_beyond_the_largest_error_while_misses_go_on() -> None:
    growing = [Trend(float(t), 1.05**t, 1.05**t, 0.0, 0.0, 60.0, 60) for t in range(400)]
    bounds = {s.time: s.value for s in run(calibrated(1, 0.1, window=50, gamma=0.05), growing)}
    late = [growing[t].value > bounds[t - 1.0] for t in range(300, 400)]
    assert sum(late) < 30


def test_a_window_between_two_samples_still_has_enough_errors() -> None:
    draw = random.Random(8)
    noise = [Trend(60.0 * t, v, 0.0, 0.0, 0.0, 60.0, 60) for t, v in enumerate(draw.gauss(0, 1) for _ in range(20_000))]
    bounds = {s.time: s.value for s in run(calibrated(60, 0.1, window=5), noise)}
    missed = [item.value > bounds[item.time - 60] for item in noise if item.time - 60 in bounds]
    assert sum(missed) / len(missed) == pytest.approx(0.1, abs=0.01)


def test_the_error_is_taken_for_the_moment_of_the_item_that_scores_it() -> None:
    ramp = [Trend(t, 2 * t, 2 * t, 2.0, 0.0, 60.0, 60) for t in (0.0, 1.0, 2.7, 3.1, 9.0, 10.0, 12.5)]
    assert [s.value - 2 * (s.time + 1) for s in run(calibrated(1, 0.5, window=60), ramp)] == pytest.approx([0.0] * 5)


def test_an_item_whose_forecast_is_no_number_is_left_out() -> None:
    draw = random.Random(6)
    clean = [Trend(float(t), draw.random(), 0.5, 0.0, 0.0, 60.0, 60) for t in range(30)]
    dirty: list[Trend] = []
    for item in clean:
        dirty += [item._replace(level=math.nan), item, item._replace(level=math.inf, time=item.time - 5)]
    assert run(calibrated(2, 0.5, window=10), dirty) == run(calibrated(2, 0.5, window=10), clean)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: calibrated(0, 0.1, window=60), ValueError, "horizon must be .* got horizon=0"),
        (lambda: calibrated((1, -2), 0.1, window=60), ValueError, "horizon must be .* got horizon=-2"),
        (lambda: calibrated((), 0.1, window=60), ValueError, "horizon must be a number or at least one"),
        (
            lambda: calibrated(1, 5e-324, window=60),
            ValueError,
            "alpha must be at least a billionth .* got alpha=5e-324",
        ),
        (lambda: calibrated(1, 0, window=60), ValueError, "alpha must be a fraction .* got alpha=0"),
        (lambda: calibrated(1, 1.0, window=60), ValueError, "alpha must be a fraction .* got alpha=1.0"),
        (lambda: calibrated(1, 5, window=60), ValueError, "alpha must be a fraction .* got alpha=5"),
        (lambda: calibrated(1, 0.1, window=-1), ValueError, "window must be .* got window=-1"),
        (lambda: calibrated(1, 0.1, window=60, gamma=0), ValueError, "gamma must be .* got gamma=0"),
        (lambda: calibrated("1", 0.1, window=60), TypeError, "horizon must be a number, got horizon='1'"),
        (lambda: calibrated(1, 0.1, window=60, forecast=3), TypeError, "forecast must be a function, got forecast=3"),
    ],
)
def test_a_bad_argument_is_named(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
