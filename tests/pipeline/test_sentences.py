"""What a decision says of itself is true."""

import pytest
from gearshift.pipeline import Residency, Settings

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
