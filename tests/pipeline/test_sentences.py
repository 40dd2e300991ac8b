"""What a decision says of itself is true."""

import pytest
from gearshift.pipeline import Residency, Rung, Settings

from tests.pipeline.feeding import LADDER, beside, decided, ready, told


def test_where_all_that_fits_has_failed_the_sentence_blames_no_lack_of_memory() -> None:
    failed = Residency(1.0, "empty", failed="small")
    made = decided([*beside("", 100, 2), failed, *beside("", 100, 2, since=2)], [LADDER[-1]])
    assert made[-1].reason.rule == "nothing fits"
    assert made[-1].explain() == ("Load nothing, immediate: every rung that would fit is set aside for a while.")


@pytest.mark.parametrize("adaptive", [False, True])
def test_growth_is_told_to_fit_under_a_ceiling_that_it_does_fit_under(adaptive: bool) -> None:
    settings = Settings(stabilisation="adaptive" if adaptive else 300.0)
    if adaptive:
        items = [ready("small"), *beside("small", 650, 500), *beside("small", 285, 400, since=500)]
    else:
        items = [*beside("", 990, 30), *beside("", 290, 30, since=30)]
    last = decided(items, LADDER, settings)[-1].reason
    assert last.rule == ("room" if adaptive else "recovered")
    assert last.external + last.need <= last.ceiling * last.total


def test_the_last_rung_is_told_to_stay_until_use_is_critical() -> None:
    (first,) = decided(beside("", 750, 1))
    assert (first.target, first.reason.back_at, first.reason.back_after) == ("small", 820, 0.0)
    assert first.explain().endswith("it goes down again should others hold over 0.00 GiB.")
    held = decided([ready("small"), *beside("small", 815, 100), *beside("small", 825, 2, since=100)])
    assert told(held) == ["100 shed nothing immediate nothing fits"]


def test_recovery_is_told_by_the_horizon_that_it_was_judged_by() -> None:
    rising = [*beside("", 990, 30), *beside("", [100 + t for t in range(200)], since=30)]
    reason = decided(rising, LADDER, Settings(recovery=150.0))[-1].reason
    assert (reason.rule, reason.horizon) == ("recovered", 13.0)
    assert reason.external < reason.bound <= reason.ceiling * reason.total - reason.need


def test_out_of_a_rung_that_holds_too_much_where_none_is_below_its_own_numbers_are_told() -> None:
    ladder = [Rung("large", {"ram": 300}, 2.0), Rung("small", {"cuda:0": 100}, 1.0)]
    swollen = [ready("large"), *beside("large", 100, 20, own=850)]
    made = decided(swollen, ladder)[-1]
    assert (made.kind, made.reason.pool, made.reason.used) == ("shed", "ram", 950)
    assert "0.00 GiB are in use, past the critical 92% of 0.00 GiB in ram" in made.explain()


def test_out_of_a_rung_that_holds_too_much_only_into_one_that_is_bearable() -> None:
    ladder = [Rung("large", {"ram": 300}, 2.0), Rung("small", {"ram": 290}, 1.0)]
    full = [ready("large"), *beside("large", 660, 20, own=330)]
    assert told(decided(full, ladder))[-1] == "0 shed nothing immediate nothing fits"


def test_what_is_on_its_way_is_hurried_only_where_it_leaves_what_is_reserved() -> None:
    settings = Settings(high=0.97, critical=1.0, reserve={"ram": 87}, confirm=0.0, patience=0.0)
    rungs = [Rung("large", {"ram": 153}, 2.0), Rung("small", {"ram": 13}, 1.0)]
    begun = [ready("large"), *beside("large", 830, 12, own=153), Residency(12.0, "shifting", "large")]
    fits = decided([*begun, *beside("large", 899, 1, since=12, own=153)], rungs, settings)
    assert told(fits)[-2:] == ["0 downgrade small planned forecast", "12 downgrade small immediate critical"]
    over = decided([*begun, *beside("large", 913, 1, since=12, own=153)], rungs, settings)
    assert told(over)[-1] == "12 shed nothing immediate nothing fits"
