"""What growth waits for, with numbers worked out by hand: qualities 3, 2, 1; a load takes 10 s until one was seen."""

import pytest
from gearshift.pipeline import Outlook, Pool, PoolOutlook, Rung, Sample, Settings
from gearshift.pipeline.growth import Growth, floor
from gearshift.pipeline.testing import rungs_of

LADDER = rungs_of(500, 300, 100)
SMALL, MEDIUM, LARGE = range(3)
FIXED, ADAPTIVE = Settings(stabilisation=100.0), Settings(stabilisation="adaptive")


def seen(external: int = 200, time: float = 0.0, *, margin: float | None = 0.0) -> Outlook:
    pool = Pool(1000, external)
    there = PoolOutlook(pool, external, None, 0.0, (margin, margin), 13.0, float(external))
    return Outlook(time, Sample(time, {"ram": pool}), {"ram": there}, 10.0, 13.0, 23.0)


def struck(growth: Growth, *times: float) -> Growth:
    """Shifts up to the large rung that are taken back after 100 s."""
    for time in times:
        growth.shifted(time - 100, MEDIUM, LARGE, free=False)
        growth.shifted(time, LARGE, MEDIUM, free=False)
    return growth


def test_a_rung_has_lasted_since_it_had_room_without_a_break() -> None:
    growth = Growth(LADDER, FIXED)
    growth.saw(0.0, MEDIUM)
    growth.saw(5.0, LARGE)
    assert [growth.lasted(rank, 10.0) for rank in range(3)] == [10.0, 10.0, 5.0]
    growth.saw(11.0, SMALL)
    assert [growth.lasted(rank, 11.0) for rank in range(3)] == [11.0, 0.0, 0.0]
    growth.saw(12.0, LARGE)
    assert [growth.lasted(rank, 20.0) for rank in range(3)] == [20.0, 8.0, 8.0]


def test_after_a_restart_nothing_before_counts() -> None:
    growth = Growth(LADDER, FIXED)
    growth.saw(0.0, LARGE)
    growth.restart(15.0)
    growth.restart(12.0)
    assert [growth.lasted(rank, 20.0) for rank in range(3)] == [5.0, 5.0, 5.0]


def test_a_fixed_stabilisation_is_waited_for_as_long_as_the_gain_pays_within_five_minutes() -> None:
    growth = Growth(LADDER, FIXED)
    assert growth.wait(seen(), MEDIUM, LARGE) == 100.0  # (10 × 2 + 10 × 3) / (3 − 2) = 50 s would pay
    growth.took(80.0)
    assert growth.wait(seen(), MEDIUM, LARGE) == 400.0  # (80 × 2 + 80 × 3) / 1
    assert growth.wait(seen(0), MEDIUM, LARGE) == 100.0  # both fit together: 80 × 3 / 1 = 240 s
    assert growth.wait(seen(), SMALL, LARGE) == 100.0  # together too: 80 × 3 / 2 = 120 s


def test_loads_are_averaged() -> None:
    growth = Growth(LADDER, FIXED)
    growth.took(80.0)
    growth.took(44.0)
    assert growth.wait(seen(), MEDIUM, LARGE) == 310.0  # 62 × 5


def test_an_adaptive_stabilisation_waits_for_what_the_shift_costs() -> None:
    growth = Growth(LADDER, ADAPTIVE)
    assert growth.wait(seen(), MEDIUM, LARGE) == 50.0
    growth.took(1.0)
    assert growth.wait(seen(), MEDIUM, LARGE) == 10.0  # 5 s would pay, and 10 s are the least
    growth.took(599.0)
    assert growth.wait(seen(), MEDIUM, LARGE) == 1500.0  # 300 × 5


def test_without_evidence_it_waits_as_long_as_usual() -> None:
    assert Growth(LADDER, ADAPTIVE).wait(seen(margin=None), MEDIUM, LARGE) == 300.0


def test_each_upgrade_that_was_taken_back_doubles_an_adaptive_wait_up_to_twenty_minutes() -> None:
    growth = struck(Growth(LADDER, ADAPTIVE), 100.0)
    assert growth.wait(seen(time=100.0), MEDIUM, LARGE) == 100.0
    struck(growth, *[100.0] * 3)
    assert growth.wait(seen(time=100.0), MEDIUM, LARGE) == 800.0
    struck(growth, *[100.0] * 3)
    assert growth.wait(seen(time=100.0), MEDIUM, LARGE) == 1200.0


def test_it_is_forgotten_by_half_in_half_an_hour() -> None:
    growth = struck(Growth(LADDER, ADAPTIVE), *[100.0] * 4)
    assert growth.wait(seen(time=1900.0), MEDIUM, LARGE) == pytest.approx(200.0)
    assert growth.wait(seen(time=3700.0), MEDIUM, LARGE) == pytest.approx(100.0)
    assert growth.wait(seen(time=1e6), MEDIUM, LARGE) == pytest.approx(50.0)


def test_for_a_fixed_stabilisation_it_halves_the_stay_that_is_expected() -> None:
    growth = struck(Growth(LADDER, FIXED), 100.0)
    growth.took(40.0)
    assert growth.wait(seen(time=100.0), MEDIUM, LARGE) == 200.0  # 40 × 5, more than the 150 s now expected
    assert growth.wait(seen(time=1900.0), MEDIUM, LARGE) == 100.0  # 212 s are


@pytest.mark.parametrize(
    ("down_at", "source"), [(400.0, LARGE), (100.0, MEDIUM)], ids=["after five minutes", "from another rung"]
)
def test_a_shift_down_that_takes_no_upgrade_back_is_no_strike(down_at: float, source: int) -> None:
    growth = Growth(LADDER, ADAPTIVE)
    growth.shifted(100.0, MEDIUM, LARGE, free=False)
    growth.shifted(down_at, source, SMALL, free=False)
    assert growth.wait(seen(time=down_at), MEDIUM, LARGE) == 50.0


def test_the_budget_of_an_hour_must_pay_for_an_upgrade_and_its_reversal() -> None:
    growth = Growth(LADDER, Settings(max_shifts_per_hour=3))
    assert growth.in_budget(0.0)
    growth.shifted(0.0, SMALL, MEDIUM, free=False)
    growth.shifted(1.0, LARGE, SMALL, free=True)
    assert growth.in_budget(1.0)
    growth.shifted(2.0, MEDIUM, LARGE, free=False)
    assert not growth.in_budget(3599.0)
    assert growth.in_budget(3600.0)


def test_an_upgrade_pays_from_its_break_even_on() -> None:
    growth = Growth(LADDER, ADAPTIVE)
    assert (growth.pays(seen(), MEDIUM, LARGE, 49.9), growth.pays(seen(), MEDIUM, LARGE, 50.0)) == (False, True)


def test_what_is_not_on_the_ladder_has_no_quality_to_lose() -> None:
    growth = Growth(LADDER, ADAPTIVE)
    growth.took(20.0)
    assert growth.wait(seen(), -1, LARGE) == 20.0  # 20 × 3 / 3


def test_rungs_that_tell_no_qualities_count_by_their_places() -> None:
    alike = [Rung(rung.name, rung.need) for rung in LADDER]
    assert Growth(alike, ADAPTIVE).wait(seen(), MEDIUM, LARGE) == 50.0


def test_growth_is_never_quicker_than_its_floor() -> None:
    assert (floor(FIXED), floor(ADAPTIVE)) == (100.0, 10.0)


def test_shifts_of_more_than_an_hour_ago_are_forgotten_also_where_nothing_ever_grows() -> None:
    growth = Growth(LADDER, FIXED)
    for i in range(10_000):
        growth.shifted(600.0 * i, LARGE, SMALL, free=False)
    assert len(growth._shifts) == 6
