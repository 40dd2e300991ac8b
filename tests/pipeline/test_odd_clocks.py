"""Clocks that jump, go back or differ: what is decided must not wait for a moment that is long over, or never comes."""

from collections.abc import Callable

import msgspec
import pytest
from gearshift.pipeline import Asked, Residency, Sample, Settings

from tests.pipeline.feeding import beside, decided, ready, told

Disturb = Callable[[list[Sample]], list[Sample]]

PLENTY, TIGHT = 100, 550


@pytest.mark.parametrize("since", [96_000.0, 0.0, -1e9])
def test_growth_waits_its_300_seconds_and_no_longer_after_a_clock_went_back(since: float) -> None:
    made = decided([ready("small"), *beside("small", TIGHT, 60, since=1e5), *beside("small", PLENTY, 400, since=since)])
    assert [(d.time, d.target) for d in made] == [(since + 301, "large")]  # 300 after the last tight reading


def test_a_shift_settles_although_the_clock_goes_back_right_after_it() -> None:
    items = [
        *(ready("small"), *beside("small", TIGHT, 60, since=1e5)),
        ready("large", 1e5 + 60, seconds=1.0),
        *beside("large", 350, 60, since=0.0),
    ]
    assert told(decided(items)) == ["32 downgrade medium planned forecast"]


def test_a_rung_that_failed_is_tried_again_although_the_clock_went_back() -> None:
    failed = Residency(1e5 + 20, "ready", "medium", failed="large")
    items = [ready("medium"), *beside("medium", 250, 20, since=1e5), failed, *beside("medium", 250, 400, since=0.0)]
    assert told(decided(items)) == ["360 upgrade large planned room"]


@pytest.mark.parametrize("adaptive", [False, True])
def test_strikes_fade_on_when_the_clock_goes_back_by_decades(adaptive: bool) -> None:
    items = [
        *(ready("small"), *beside("small", PLENTY, 310, since=1.7e9), ready("large", 1.7e9 + 310, seconds=1.0)),
        *(*beside("large", 450, 40, since=1.7e9 + 310), ready("small", 1.7e9 + 350, seconds=1.0)),
        *beside("small", PLENTY, 2000, since=0.0),
    ]
    made = decided(items, settings=Settings(stabilisation="adaptive" if adaptive else 300.0))
    assert [d.kind for d in made] == ["upgrade", "downgrade", "upgrade"]


def test_a_clock_far_below_zero_is_as_good_as_any() -> None:
    made = decided([ready("small", -4e9), *beside("small", PLENTY, 400, since=-3e9)])
    assert [d.time for d in made] == [-3e9 + 300]


@pytest.mark.parametrize("told_at", [-1e9, 0.0, 1e6, 1.7e9])
def test_what_was_loaded_before_the_first_sample_may_be_told_by_another_clock(told_at: float) -> None:
    assert told(decided([ready("small", told_at), *beside("small", PLENTY, 400)])) == ["300 upgrade large planned room"]


def test_a_request_may_be_told_by_another_clock() -> None:
    items = [
        *(ready("large"), *beside("large", PLENTY, 10), Asked(1.7e9, "please"), ready("medium", seconds=1.0)),
        *beside("medium", PLENTY, 400, since=10),
    ]
    assert told(decided(items)) == ["9 downgrade medium planned asked", "309 upgrade large planned room"]


def stray(at: int, by: float) -> Disturb:
    """One sample tells a time that is off by so many seconds."""
    return lambda items: [*items[:at], msgspec.structs.replace(items[at], time=items[at].time + by), *items[at + 1 :]]


def late(at: int, by: float) -> Disturb:
    """From one sample on, all times are later."""
    return lambda items: [*items[:at], *(msgspec.structs.replace(item, time=item.time + by) for item in items[at:])]


def swapped(items: list[Sample]) -> list[Sample]:
    return [item for i in range(0, len(items), 2) for item in items[i : i + 2][::-1]]


DISTURBED: dict[str, tuple[Disturb, float]] = {
    "every sample twice": (lambda items: [item for item in items for _ in range(2)], 360.0),
    "every pair swapped": (
        lambda items: [item for i in range(0, len(items), 2) for item in items[i : i + 2][::-1]],
        361,
    ),
    "one too early": (stray(200, -3.5), 360.0),
    "one too early by 1,340 s": (stray(200, -1340.0), 501.0),
    "one too late by an hour": (stray(200, 3600.0), 501.0),
    "a gap of 6,249 s": (late(200, 6249.0), 6749.0),
}
"""What is done to the samples, and when a rung that has fitted since 60 s is grown to: 300 s after what broke it."""


@pytest.mark.parametrize("disturbed", DISTURBED)
def test_stamps_as_they_come_in_real_recordings_never_shorten_the_window(disturbed: str) -> None:
    disturb, grown_at = DISTURBED[disturbed]
    items = [*beside("small", TIGHT, 60), *beside("small", PLENTY, 740, since=60.0)]
    made = decided([ready("small"), *disturb(items)])
    assert [d.target for d in made] == ["large"]
    assert grown_at - 1 <= made[0].time <= grown_at + 1
