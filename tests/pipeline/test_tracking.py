import random

import pytest
from gearshift.operators.line import Trend
from gearshift.pipeline import Pool, PoolOutlook, Settings
from gearshift.pipeline.horizons import Horizons
from gearshift.pipeline.tracking import Backtest, Margin, PoolTrack
from hypothesis import given
from hypothesis import strategies as st

SETTINGS = Settings()  # shrink 13 s, grow 23 s, window 30 s


def track() -> PoolTrack:
    return PoolTrack(SETTINGS.window, SETTINGS.alpha, Horizons(SETTINGS))


def last(levels: list[int]) -> PoolOutlook:
    following, seen = track(), None
    for second, level in enumerate(levels):
        seen = following.update(Pool(1000, level), float(second))
    assert seen is not None
    return seen


def test_a_line_is_trusted_once_it_has_forecast_better_than_no_change() -> None:
    test = Backtest(horizon=2.0, seconds=10.0)
    trusted = []
    for t in range(6):
        test.update(5.0 * t, 5.0 * t, float(t), slope=5.0 if t else 0.0)
        trusted.append(test.trusts_line)
    assert trusted == [False, False, False, True, True, True]


def test_a_line_that_goes_on_when_the_series_does_not_is_trusted_no_more() -> None:
    test = Backtest(horizon=2.0, seconds=10.0)
    for t in range(20):
        test.update(5.0 * t, 5.0 * t, float(t), slope=5.0)
    assert test.trusts_line
    for t in range(20, 40):
        test.update(100.0, 100.0, float(t), slope=5.0)
    assert not test.trusts_line


def test_a_level_is_trusted_where_the_series_swings_around_it() -> None:
    test = Backtest(horizon=1.0, seconds=10.0)
    for t in range(10):
        test.update(10.0 * (t % 2), 5.0, float(t), slope=0.0)
    assert (test.trusts_level, test.trusts_line) == (True, False)


def margins(horizons: list[tuple[int, float]], alpha: float = 0.2) -> list[float | None]:
    """The margin at each second of a climb by 1 a second that nothing forecasts; `horizons`: how long each holds."""
    margin, given, time = Margin(horizons[0][1], alpha), [], 0
    for seconds, horizon in horizons:
        for _ in range(seconds):
            margin.update(float(time), float(time), float(time), 0.0, horizon)
            given.append(margin.value)
            time += 1
    return given


def test_a_margin_is_what_the_forecasts_fell_short_by_once_enough_of_them_are_known() -> None:
    given = margins([(100, 8.0)])
    # scored from 8 s on, with a quantile from the fourth error on; 4 / 0.2 of them are enough
    assert given[: 8 + 3 + 19] == [None] * 30
    assert given[30:] == [8.0] * 70


def test_a_horizon_that_moves_little_keeps_its_calibration() -> None:
    assert margins([(100, 8.0), (100, 10.0)])[50:] == [8.0] * 150


@pytest.mark.parametrize("horizon", [6.0, 12.0])
def test_a_horizon_that_moves_by_more_than_a_quarter_is_calibrated_anew_while_the_old_margin_stands(
    horizon: float,
) -> None:
    given = margins([(100, 8.0), (60, horizon)])
    known = 100 + int(horizon) + 3
    assert given[50 : known + 1] == [8.0] * (known - 49)
    assert given[known + 2 :] == [horizon] * (160 - known - 2)


def test_a_forecast_is_due_four_times_a_horizon_however_often_it_is_sampled() -> None:
    margin, taken = Margin(8.0, 0.2), list[float]()
    for tenth in range(500):
        if tenth / 10 >= margin.due:
            margin.update(0.0, 0.0, tenth / 10, 0.0, 8.0)
            taken.append(tenth / 10)
    assert taken == [2.0 * i for i in range(25)]


def test_seldom_missed_forecasts_need_more_margin() -> None:
    given: list[float | None] = []
    for alpha in (0.05, 0.2, 0.4):
        noise, margin = random.Random(2), Margin(8.0, alpha)
        for second in range(1000):
            value = float(noise.randint(0, 100))
            margin.update(value, 50.0, float(second), 0.0, 8.0)
        given.append(margin.value)
    assert given[0] is not None and given[1] is not None and given[2] is not None
    assert given[0] > given[1] > given[2] > 0


UNKNOWN = (None, None)
bytes_ = st.integers(0, 1000)
some = st.floats(0, 100)
margin_ = st.none() | st.floats(-200, 200)


@given(bytes_, bytes_, some, some, st.floats(0, 40), st.floats(0, 40), st.tuples(margin_, margin_), bytes_)
def test_a_bound_is_never_below_what_others_hold_and_rises_with_slope_distance_and_margin(
    external: int, own: int, slope: float, more: float, seconds: float, further: float,
    given_: tuple[float | None, float | None], base: int,
) -> None:  # fmt: skip
    pool, line = Pool(10_000, external + own, own), Trend(0.0, 0.0, 0.0, slope, 3.0, 10.0, 10)

    def bound(slope: float, seconds: float, margins: tuple[float | None, float | None]) -> float:
        return PoolOutlook(pool, external, line, slope, margins, 100.0, float(base)).bound(seconds)

    least = bound(slope, seconds, given_)
    assert least >= external == bound(slope, 0.0, given_)
    assert bound(slope, seconds + further, given_) >= least or seconds == 0
    assert bound(slope + more, seconds, given_) >= least
    if given_[0] is not None:
        assert bound(slope, seconds, (given_[0] + more, given_[1])) >= least


def test_beyond_the_shrink_horizon_the_other_margin_counts() -> None:
    seen = PoolOutlook(Pool(1000, 100), 100, None, 0.0, (5.0, 50.0), 13.0, 100.0)
    assert (seen.bound(13.0), seen.bound(13.1)) == (105.0, 150.0)


def test_before_margins_are_known_a_line_that_counts_is_doubted_by_two_deviations() -> None:
    line = Trend(0.0, 0.0, 0.0, 5.0, 3.0, 10.0, 10)
    assert PoolOutlook(Pool(1000, 100), 100, line, 5.0, UNKNOWN, 13.0, 100.0).bound(10.0) == 100 + 5 * 10 + 2 * 3
    assert PoolOutlook(Pool(1000, 100), 100, line, 0.0, UNKNOWN, 13.0, 100.0).bound(10.0) == 100


def test_holding_something_else_leaves_what_others_hold() -> None:
    seen = PoolOutlook(Pool(1000, 600, 500), 100, None, 1.0, (5.0, 6.0), 13.0, 90.0).holding(300)
    assert (seen.pool, seen.external, seen.slope, seen.margins, seen.horizon, seen.base) == (
        Pool(1000, 400, 300), 100, 1.0, (5.0, 6.0), 13.0, 90.0,
    )  # fmt: skip


def test_a_rise_along_a_line_has_a_slope_and_a_fall_a_step_and_noise_have_none() -> None:
    noise = random.Random(3)
    assert last([100 + 5 * t for t in range(20)]).slope == pytest.approx(5.0)
    assert last([500 - 5 * t for t in range(20)]).slope == 0.0
    assert last([100] * 15 + [300] * 5).slope == 0.0
    assert last([100 + noise.randint(-50, 50) for _ in range(60)]).slope == 0.0


def test_a_series_that_swings_is_forecast_from_its_level_and_one_that_has_left_it_from_where_it_is() -> None:
    noise = random.Random(4)
    swings = [noise.randint(300, 400) for _ in range(400)]
    within = last([*swings, 390])
    assert 330 < within.base < within.external == 390 and within.bound(13.0) > 390
    assert last([*swings, 700]).base == 700


def test_what_is_ours_is_no_trend_of_others() -> None:
    following = track()
    for second in range(20):
        seen = following.update(Pool(1000, 100 + 20 * second, 20 * second), float(second))
        assert (seen.external, seen.slope, seen.bound(13.0)) == (100, 0.0, 100.0)


def test_a_reading_that_has_no_place_in_the_trend_still_tells_what_others_hold() -> None:
    following = track()
    following.update(Pool(1000, 100), 5.0)
    earlier = following.update(Pool(1000, 200), 4.0)
    assert (earlier.trend, earlier.external, earlier.bound(13.0)) == (None, 200, 200.0)


def test_a_rise_is_seen_soon_after_the_level_was_left_and_believed_as_far_as_it_was_seen() -> None:
    calm = [100] * 100
    slopes = [last([*calm, *(100 + 10 * t for t in range(1, n))]).slope for n in range(2, 16)]
    assert slopes[:6] == [0.0] * 6
    assert slopes[6:12] == pytest.approx([5.0, 6.0, 7.0, 8.0, 9.0, 10.0])


def test_a_step_is_no_rise() -> None:
    assert [last([*[100] * 100, *[400] * n]).slope for n in range(1, 30)] == [0.0] * 29
