"""The scenarios that gearshift exists for, in a closed loop, with every decision and its reason held to a file."""

import math
import random
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from gearshift.pipeline import Decision, Rung, Settings

from tests.pipeline.closed import play, shifts

GOLDEN = Path(__file__).parents[1] / "golden/scenarios"
GIB, MIB = 2**30, 2**20
LADDER = [
    Rung("14b", {"ram": 12 * GIB}, quality=3.0),
    Rung("7b", {"ram": 7 * GIB}, quality=2.0),
    Rung("3b", {"ram": 3 * GIB}, quality=1.0),
]
SETTINGS = Settings()
CEILING = int(SETTINGS.high * 24 * GIB)


def noisy(levels: Iterable[float], mib: int = 40) -> list[int]:
    """GiB that others hold, a second each, and a little more or less."""
    noise = random.Random(7)
    return [int(level * GIB) + noise.randint(-mib, mib) * MIB for level in levels]


def gradual_relief() -> list[int]:
    """Something large winds down over ten minutes."""
    return noisy([11.0] * 200 + [11.0 - 7.0 * i / 600 for i in range(600)] + [4.0] * 700)


def sudden_shortage() -> list[int]:
    """A game starts within a second, and ends a quarter of an hour later."""
    return noisy([4.0] * 120 + [11.5] * 900 + [4.0] * 600)


def leak() -> list[int]:
    """Something grows by 24 MiB/s to 18 GiB, until it is ended."""
    return noisy([4.0] * 120 + [4.0 + 24 * i / 1024 for i in range(600)] + [18.0] * 60 + [4.0] * 600, mib=8)


def steady() -> list[int]:
    """Six hours of work, with a build of 20 s every now and then that does pass the ceiling."""
    return noisy([7.6 if second % 1700 in range(600, 620) else 5.0 for second in range(6 * 3600)], mib=200)


def oscillation() -> list[int]:
    """Two hours in which others swing around what the best rung leaves them, faster than a shift would pay."""
    return noisy([6.5 + 1.2 * math.sin(2 * math.pi * second / 100) for second in range(2 * 3600)])


def played(scenario: Callable[[], list[int]]) -> list[Decision]:
    return play(scenario(), LADDER, SETTINGS, total=24 * GIB, load_seconds=4.0)


@pytest.mark.parametrize("scenario", [gradual_relief, sudden_shortage, leak, steady, oscillation])
def test_the_same_is_decided_as_before_for_the_same_reasons(
    scenario: Callable[[], list[int]], assert_golden: Any
) -> None:
    assert_golden(played(scenario), GOLDEN / f"{scenario.__name__}.json")


def test_gradual_relief_is_taken_after_the_stabilisation_and_not_before() -> None:
    external = gradual_relief()
    last_full = max(i for i, used in enumerate(external) if used + 12 * GIB > SETTINGS.low * 24 * GIB)
    ((time, kind, target),) = shifts(played(gradual_relief))
    assert (kind, target) == ("upgrade", "14b")
    assert last_full + 300 <= time <= last_full + 330


def test_a_sudden_shortage_is_answered_in_the_second_in_which_it_comes() -> None:
    _, down, *later = played(sudden_shortage)
    assert (down.time, down.kind, down.urgency, down.reason.rule) == (120.0, "downgrade", "immediate", "critical")
    assert [(d.kind, d.target, d.time >= 1020 + 300) for d in later] == [("upgrade", "14b", True)]


def test_each_step_of_a_leak_is_foreseen() -> None:
    external = leak()
    _, *downs, up = played(leak)
    assert [(d.target, d.urgency) for d in downs] == [("7b", "planned"), ("3b", "planned")]
    for decision, need in zip(downs, (12 * GIB, 7 * GIB), strict=True):
        crossing = next(i for i, used in enumerate(external) if used + need > CEILING)
        assert 5 <= crossing - decision.time <= 40
    assert up.target == "14b" and up.time >= 780 + 300


def test_steady_use_changes_nothing_in_hours() -> None:
    assert shifts(played(steady)) == []


def test_use_that_swings_around_the_ceiling_shifts_little() -> None:
    seen = shifts(played(oscillation))
    assert 1 <= len(seen) <= 4
    for (before, kind, _), (after, other, _) in pairwise(seen):
        assert kind == other or after - before >= 300
