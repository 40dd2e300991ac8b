"""What a decision says of itself is true: its numbers, and what would bring the opposite."""

from collections.abc import Sequence
from itertools import chain

import pytest
from gearshift.pipeline import Asked, Decision, Residency, Rung, Sample, Settings

from tests.pipeline.feeding import LADDER, Item, beside, decided, ready

LARGE, MEDIUM = ready("large"), ready("medium")
SETTINGS = Settings(stabilisation=50.0, patience=20.0, recovery=9.0, settle=0.0)


def first(items: Sequence[Item], settings: Settings = SETTINGS, ladder: Sequence[Rung] = LADDER) -> Decision:
    return decided(items, ladder, settings)[0]


SHIFTS = {
    "forecast": [LARGE, *beside("large", 320, 30)],
    "critical": [LARGE, *beside("large", [100, 430])],
    "asked": [LARGE, *beside("large", 100, 1), Asked(0.0, "a game")],
    "room": [MEDIUM, *beside("medium", 100, 60)],
    "fits": beside("", 100, 1),
    "nothing fits": beside("", 950, 1),
}


def once_others_hold(level: int, seconds: float, rule: str) -> list[Decision]:
    """What follows the decision by this rule when it is carried out, and then others hold `level` for so long."""
    items = SHIFTS[rule]
    made = first(items)
    begun = [item for item in items if not isinstance(item, Sample) or item.time <= made.time]
    now = made.time + 1
    after = beside(made.target or "", level, int(seconds) + 1, since=now)
    return decided(chain(begun, [ready(made.target, now)], after), LADDER, SETTINGS)[1:]


@pytest.mark.parametrize("rule", ["room", "fits"])
def test_after_a_shift_up_others_bring_it_down_by_holding_as_much_as_it_says_for_as_long(rule: str) -> None:
    reason = first(SHIFTS[rule]).reason
    assert (reason.rule, reason.back_at, reason.back_after) == (rule, 300, 20.0)
    assert once_others_hold(reason.back_at - 1, 3 * reason.back_after, rule) == []
    down = once_others_hold(reason.back_at + 1, reason.back_after + 1, rule)
    assert [(d.kind, d.reason.rule) for d in down] == [("downgrade", "forecast")]


@pytest.mark.parametrize("rule", ["forecast", "critical", "asked"])
def test_after_a_shift_down_others_let_it_up_by_holding_no_more_than_it_says_for_as_long(rule: str) -> None:
    reason = first(SHIFTS[rule]).reason
    assert (reason.rule, reason.back_at, reason.back_after) == (rule, 270, 50.0)
    assert once_others_hold(reason.back_at + 1, 3 * reason.back_after, rule) == []
    up = once_others_hold(reason.back_at, reason.back_after + 1, rule)
    assert [(d.kind, d.target, d.reason.rule) for d in up] == [("upgrade", "large", "room")]


def test_after_all_was_unloaded_recovery_is_as_long_as_it_says() -> None:
    for items in (SHIFTS["nothing fits"], [ready("small"), *beside("small", [100, 850])]):
        reason = first(items).reason
        assert (reason.rule, reason.need, reason.back_at, reason.back_after) == ("nothing fits", 100, 670, 9.0)
    up = once_others_hold(reason.back_at, reason.back_after + 1, "nothing fits")
    assert [(d.kind, d.target, d.reason.rule) for d in up] == [("upgrade", "small", "recovered")]


def test_a_forecast_tells_how_long_is_left() -> None:
    rising = first([LARGE, *beside("large", [200 + 5 * t for t in range(15)])]).reason
    assert (rising.rule, rising.external, rising.need, rising.ceiling) == ("forecast", 255, 500, 0.8)
    assert rising.slope == pytest.approx(5.0) and rising.seconds_left == pytest.approx((800 - 255 - 500) / 5)
    assert rising.horizon == 13.0 and rising.bound == pytest.approx(255 + 13 * 5, abs=1)
    assert first(SHIFTS["forecast"]).reason.seconds_left == 0.0, "it is there already"
    assert first(SHIFTS["fits"]).reason.seconds_left is None, "and this is not on its way"


@pytest.mark.parametrize(
    ("rule", "ceiling", "need"),
    [("forecast", 0.8, 500), ("critical", 0.92, 500), ("room", 0.77, 500), ("fits", 0.8, 500),
     ("nothing fits", 0.92, 100), ("asked", 0.8, 500)],
)  # fmt: skip
def test_the_ceiling_is_that_of_the_rule_and_the_need_that_of_the_rung_it_is_about(
    rule: str, ceiling: float, need: int
) -> None:
    reason = first(SHIFTS[rule]).reason
    assert (reason.rule, reason.ceiling, reason.need) == (rule, ceiling, need)


def test_the_last_rung_does_not_say_that_it_fits_where_it_does_not() -> None:
    reason = first(beside("", 810, 1)).reason
    assert (reason.rule, reason.need, reason.ceiling) == ("fits", 100, 0.92)


def test_a_reserve_is_part_of_every_ceiling_but_the_critical_one() -> None:
    settings = Settings(reserve={"ram": 350})
    assert first([LARGE, *beside("large", 200, 40)], settings).reason.ceiling == pytest.approx(0.65)
    assert first([LARGE, *beside("large", [100, 430])], settings).reason.ceiling == 0.92


def test_a_load_called_off_does_not_say_that_memory_is_in_use() -> None:
    gib = 2**30
    big = [Rung(rung.name, {"ram": rung.need["ram"] * gib // 100}) for rung in LADDER]
    scaled = [
        Sample(s.time, {"ram": type(pool)(pool.total * gib // 100, pool.used * gib // 100)})
        for s in [*beside("", 200, 1), *beside("", 450, 1, since=1.0)]
        if (pool := s.pools["ram"]) is not None
    ]
    _, off = decided([scaled[0], Residency(0.0, "shifting"), scaled[1]], big)
    assert (off.source, off.target, off.reason.back_after) == ("large", "medium", 300.0)
    assert off.explain().startswith(
        "Shift down from large to medium, immediate: others hold 4.50 GiB, and with 5.00 GiB more that is past the "
        "critical 92% of 10.00 GiB in ram; it goes up again once others hold under 2.70 GiB"
    )


def test_without_a_reading_of_the_pool_it_says_so() -> None:
    made = decided([LARGE, *beside("large", [100, None]), Asked(1.0, "")])
    assert [(d.reason.rule, d.reason.pool, d.reason.detail) for d in made] == [
        ("asked", "", "a pool could not be read")
    ]
