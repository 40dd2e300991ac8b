"""Fewer points, and nothing lost that can be seen."""

from bisect import bisect_right
from itertools import pairwise

import pytest
from gearshift.pipeline.views.thinning import kept
from hypothesis import given
from hypothesis import strategies as st

steps = st.lists(st.sampled_from([0.0, 0.5, 1.0, 1.0, 40.0]), min_size=1, max_size=400)
values = st.none() | st.integers(0, 50).map(float)


@st.composite
def drawn(draw: st.DrawFn) -> tuple[list[float], list[list[float | None]], int]:
    times: list[float] = []
    for step in draw(steps):
        times.append((times[-1] if times else 0.0) + step)
    series = draw(st.lists(st.lists(values, min_size=len(times), max_size=len(times)), min_size=1, max_size=2))
    return times, series, draw(st.integers(1, 40))


def bucket(times: list[float], place: int, buckets: int) -> int:
    width = (times[-1] - times[0]) / buckets
    return bisect_right([times[0] + i * width for i in range(1, buckets)], times[place])


@given(drawn())
def test_every_bucket_keeps_its_ends_and_the_extremes_of_each_series(
    given_: tuple[list[float], list[list[float | None]], int],
) -> None:
    times, series, buckets = given_
    places = kept(times, *series, buckets=buckets)
    assert places == sorted(set(places)) and {0, len(times) - 1} <= set(places)
    found: dict[int, list[int]] = {}
    for place in range(len(times)):
        found.setdefault(bucket(times, place, buckets), []).append(place)
    for here in found.values():
        left = [place for place in here if place in set(places)]
        for one in series:
            read = [value for place in here if (value := one[place]) is not None]
            thinned = [value for place in left if (value := one[place]) is not None]
            assert not read or (min(read), max(read)) == (min(thinned), max(thinned))


@given(drawn())
def test_no_hole_is_closed(given_: tuple[list[float], list[list[float | None]], int]) -> None:
    times, series, buckets = given_
    for one, following in pairwise(kept(times, *series, buckets=buckets)):
        for values in series:
            assert None not in values[one + 1 : following] or None in (values[one], values[following])


@given(drawn())
def test_a_peak_beside_a_hole_stays_joined_to_what_it_was_drawn_with(
    given_: tuple[list[float], list[list[float | None]], int],
) -> None:
    times, (values, *_), buckets = given_
    places = kept(times, values, buckets=buckets)
    read = [place for place, value in enumerate(values) if value is not None]
    if not read:
        return
    peak = max(read, key=lambda place: values[place] or 0.0)
    at = places.index(peak)
    beside = [values[near] for near in (peak - 1, peak + 1) if 0 <= near < len(values)]
    left = [values[places[near]] for near in (at - 1, at + 1) if 0 <= near < len(places)]
    assert any(value is not None for value in beside) == any(value is not None for value in left)


@given(drawn())
def test_what_is_kept_is_bounded_by_the_buckets(given_: tuple[list[float], list[list[float | None]], int]) -> None:
    times, series, buckets = given_
    assert len(kept(times, *series, buckets=buckets)) <= (2 + 12 * len(series)) * buckets


def test_a_day_at_one_hertz_comes_down_to_a_few_points_for_each_pixel() -> None:
    times = [float(second) for second in range(86_400)]
    saw: list[float | None] = [float(second % 97) for second in range(86_400)]
    assert 4000 <= len(kept(times, saw)) <= 8000


def test_points_are_kept_by_their_number_where_time_goes_back() -> None:
    times = [*(float(i) for i in range(500)), *(float(i) for i in range(500))]
    spiked: list[float | None] = [0.0] * 1000
    spiked[123], spiked[877] = 5.0, 6.0
    places = kept(times, spiked, buckets=10)
    assert {123, 877} <= set(places) and len(places) < 50


def test_less_than_one_bucket_is_refused() -> None:
    with pytest.raises(ValueError, match="buckets must be at least 1, got buckets=0"):
        kept([0.0], [1.0], buckets=0)
