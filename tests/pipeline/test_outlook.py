import math
from typing import Any

import pytest
import reactivex
from gearshift.operators.lifting import NOTHING
from gearshift.pipeline import Asked, Outlook, Pool, PoolOutlook, Residency, Sample, Settings
from gearshift.pipeline.outlook import OutlookWindow, outlook

SETTINGS = Settings(gap=10.0)


def sample(time: float, external: int | None = 100, own: int = 0) -> Sample:
    return Sample(time, {"ram": None if external is None else Pool(1000, external + own, own)})


def ram(seen: Any) -> PoolOutlook:
    assert isinstance(seen, Outlook)
    pool = seen.pools["ram"]
    assert pool is not None
    return pool


def span(window: OutlookWindow, time: float) -> float:
    """Over how many seconds the trend goes at a sample of this time."""
    line = ram(window.update(sample(time))).trend
    assert line is not None
    return line.span


def test_a_pool_that_could_not_be_read_is_none_and_its_trend_goes_on_after() -> None:
    window = OutlookWindow(SETTINGS)
    window.update(sample(0.0))
    assert window.update(sample(1.0, None)).pools == {"ram": None}
    assert span(window, 2.0) == 2.0


@pytest.mark.parametrize(("then", "expected"), [(15.0, 15.0), (15.1, 0.0)])
def test_a_gap_begins_every_trend_anew(then: float, expected: float) -> None:
    window = OutlookWindow(SETTINGS)
    window.update(sample(0.0))
    window.update(sample(5.0))
    assert span(window, then) == expected


def test_a_sample_older_than_the_newest_is_left_out_and_a_clock_set_back_begins_anew() -> None:
    window = OutlookWindow(SETTINGS)
    window.update(sample(100.0))
    assert window.update(sample(95.0)) is NOTHING
    assert span(window, 100.0) == 0.0
    assert span(window, 101.0) == 1.0
    assert span(window, 50.0) == 0.0
    assert span(window, 51.0) == 1.0


@pytest.mark.parametrize("time", [math.nan, math.inf, 1e16])
def test_a_time_that_is_none_is_left_out(time: float) -> None:
    window = OutlookWindow(SETTINGS)
    window.update(sample(0.0))
    assert window.update(sample(time)) is NOTHING
    assert span(window, 1.0) == 1.0


def test_what_was_learned_of_shifts_outlives_a_gap() -> None:
    window = OutlookWindow(SETTINGS)
    window.update(Residency(0.0, "ready", "large", seconds=20.0))
    for time in (0.0, 1000.0):
        seen = window.update(sample(time))
        assert (seen.shift, seen.shrink, seen.grow) == (20.0, 23.0, 43.0)
        assert ram(seen).horizon == 23.0


def test_everything_else_is_handed_on_in_its_place() -> None:
    others = [Residency(0.0, "ready", "large"), Asked(1.0, "a game")]
    got: list[Any] = []
    reactivex.of(others[0], sample(0.0), others[1]).pipe(outlook(SETTINGS)).subscribe(got.append)
    assert [got[0], got[2]] == others and ram(got[1]).external == 100


def test_each_subscription_follows_a_trend_of_its_own() -> None:
    got: list[Any] = []
    stream = reactivex.of(sample(0.0), sample(1.0)).pipe(outlook(SETTINGS))
    stream.subscribe(got.append)
    stream.subscribe(got.append)
    assert [line.count if (line := ram(seen).trend) is not None else None for seen in got] == [1, 2, 1, 2]


def test_holding_something_else_changes_the_pools_and_nothing_else() -> None:
    seen = OutlookWindow(SETTINGS).update(sample(0.0, 100, 500))
    other = seen.holding({"ram": 300})
    assert ram(other).pool == Pool(1000, 400, 300) and ram(seen.holding({})).pool == Pool(1000, 100)
    assert (other.time, other.sample, other.shift, other.shrink, other.grow) == (
        seen.time, seen.sample, seen.shift, seen.shrink, seen.grow,
    )  # fmt: skip
