"""Too little memory: what is killed, and what lead a decision had."""

import math

import pytest
from gearshift.pipeline import Pool, Sample, Settings, simulate

from .scripted import LADDER, now, play, ram, to


def test_memory_that_stays_short_kills_the_model() -> None:
    found, policy = play([0] * 5 + [600] * 6, {0.0: to("large")})
    assert policy.told[2:] == [(7.8, "empty !large", None)]
    assert (found.kills, found.shifts) == (1, ())
    assert found.overcommit_seconds == found.above_seconds == pytest.approx(2.8)
    assert found.effective_quality == pytest.approx(3.0 * 4 / 10)
    assert found.mean_quality == pytest.approx(5.8 * 4 / 10)
    assert policy.own[6:9] == [500, 500, 0]


@pytest.mark.parametrize(("kill_after", "kills"), [(2.9, 1), (3.0, 0), (math.inf, 0)])
def test_memory_that_was_short_for_just_so_long_does_not(kill_after: float, kills: int) -> None:
    found, _ = play([0] * 5 + [600] * 3 + [0] * 3, {0.0: to("large")}, kill_after=kill_after)
    assert found.kills == kills and found.overcommit_seconds == pytest.approx(min(kill_after, 3.0))


def test_a_moment_of_enough_begins_the_count_anew() -> None:
    found, _ = play([0, 0, 0, 600, 600, 500, 600, 600, 500], {0.0: to("large")})
    assert (found.kills, found.overcommit_seconds) == (0, 4.0)  # 500 + 500 are all there is, and no more


def test_a_load_that_memory_has_no_room_for_is_killed_on_its_way() -> None:
    found, policy = play([600] * 10, {0.0: to("large")}, load_time=5.0)
    assert policy.told == [(0.0, "shifting", None), (2.8, "empty !large", None)]
    assert found.time_by_rung[None] == 9.0


def test_what_is_loaded_beside_is_killed_first_and_the_old_one_answers_on() -> None:
    script = {0.0: to("medium"), 5.0: to("small", "medium")}
    found, policy = play([300] * 6 + [650] * 9, script, load_time=4.0)
    assert policy.told[2:] == [(5.0, "shifting", "medium"), (8.8, "ready !small", "medium")]
    assert found.time_by_rung["medium"] == 10.0 and found.shifts == ()
    assert policy.own[-1] == 300


def test_a_decision_that_waits_is_carried_out_after_a_kill() -> None:
    script = {0.0: to("large"), 1.0: to("small")}
    _, policy = play([600] * 10, script, load_time=4.0)
    assert policy.told[1:] == [(2.8, "empty !large", None), (2.8, "shifting", None), (6.8, "ready", "small")]


def test_a_model_that_goes_already_is_not_killed() -> None:
    found, policy = play([0] * 5 + [600] * 4, {0.0: to("large"), 7.0: now(None, "large")}, kill_after=2.02)
    assert (found.kills, policy.told[-1]) == (0, (7.04, "empty", None))


def test_others_alone_that_take_more_than_all_kill_nothing_of_ours() -> None:
    found, _ = play([1200] * 10, {})
    assert (found.kills, found.overcommit_seconds) == (0, 0.0)


def test_pools_are_counted_each_for_itself() -> None:
    def at(t: float, ram: int, gpu: int) -> Sample:
        return Sample(t, {"ram": Pool(1000, ram), "cuda:0": Pool(1000, gpu)})

    from gearshift.pipeline import Rung

    ladder = [Rung("large", {"ram": 100, "cuda:0": 500}), Rung("small", {"ram": 100})]
    samples = [at(0, 0, 0), at(3, 950, 0), at(5, 0, 600), at(7, 950, 0), at(9, 0, 0), at(10, 0, 0)]
    found, _ = play(samples, {0: to("large")}, ladder=ladder)
    assert (found.kills, found.overcommit_seconds) == (0, 6.0)
    # the small rung is not in the GPU
    found, _ = play(samples, {0: to("small")}, ladder=ladder)
    assert found.overcommit_seconds == 4.0


def test_kill_after_must_be_some_time() -> None:
    for kill_after in (0, -1, math.nan):
        with pytest.raises(ValueError, match="kill_after must be seconds above 0"):
            simulate([], LADDER, kill_after=kill_after)


DOWN = {0.0: to("large"), 5.0: to("medium", "large")}


def test_lead_is_from_the_decision_until_the_old_rung_would_have_been_over_the_ceiling() -> None:
    found, _ = play([100] * 9 + [300, 301, 400] + [0] * 5, DOWN)
    assert found.leads == (5.0,)  # 300 beside 500 are the very ceiling; 301 came at 10 s
    assert found.shifts[0].lead == 5.0


def test_a_shortage_that_is_there_already_is_a_lead_of_nothing() -> None:
    found, _ = play([100] * 5 + [400] * 10, DOWN)
    assert found.leads == (0.0,)


@pytest.mark.parametrize(("at", "lead"), [(305, (300.0,)), (306, ())])
def test_a_shortage_that_comes_much_later_is_no_lead(at: int, lead: tuple[float, ...]) -> None:
    found, _ = play([100] * at + [400] * 9, DOWN)
    assert found.leads == lead and len(found.shifts) == 1


def test_only_planned_downgrades_that_were_carried_out_have_a_lead() -> None:
    immediate = {0.0: to("large"), 5.0: now("medium", "large")}
    upgrade = {0.0: to("medium"), 5.0: to("large", "medium")}
    skipped = {0.0: to("medium"), 5.0: to("medium", "large")}
    for script in (immediate, upgrade, skipped):
        found, _ = play([100] * 9 + [450] * 6, script)
        assert found.leads == ()


def test_lead_of_a_superseded_decision_is_nobodys() -> None:
    found, _ = play([400] * 12, {**DOWN, 5.0: to("medium", "large"), 6.0: to("small", "large")}, load_time=1.5)
    assert [(s.decision.target, s.lead) for s in found.shifts] == [("medium", 0.0), ("small", 0.0)]


def test_gearshift_steps_down_before_a_leak_gets_there() -> None:
    external = [100] * 60 + [100 + 10 * t for t in range(50)]
    found = simulate(ram(external), LADDER, Settings(), load_time=1.0)
    assert (found.kills, found.overcommit_seconds) == (0, 0.0)
    assert found.shifts[0].lead is not None and found.shifts[0].lead > 2
