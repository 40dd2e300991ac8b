"""The order of things on a simulated machine, by hand to the hundredth of a second."""

import pytest
from gearshift.pipeline import Decision, Pool, Request, Residency, Sample, Settings, simulate

from .scripted import LADDER, Scripted, now, play, ram, to


def test_break_before_make_leaves_a_gap_that_is_counted() -> None:
    found, policy = play([400] * 11, {0.0: to("large"), 5.0: to("medium", "large")})  # 400 + 500 + 300 is above 800
    assert found.seconds == 10.0
    assert found.time_by_rung == pytest.approx({None: 2 + 2.04, "large": 3.0, "medium": 2.96, "small": 0.0})
    assert found.mean_quality == pytest.approx((3.0 * 4 + 2.96 * 2) / 10)
    assert policy.told == [
        (0.0, "shifting", None), (2.0, "ready", "large"), (5.0, "shifting", "large"), (7.04, "ready", "medium"),
    ]  # fmt: skip
    assert [r.seconds for r in policy.residencies] == pytest.approx([0, 2.0, 0, 2.04])
    assert policy.own == [0, 500, 500, 500, 500, 500, 300, 300, 300, 300, 300]
    assert [(s.decision.target, s.began, s.ended) for s in found.shifts] == [("medium", 5.0, pytest.approx(7.04))]


def test_the_first_load_holds_all_it_needs_from_its_start() -> None:
    _, policy = play([0, 0, 0], {0.0: to("large")}, load_time=1.5)
    assert policy.own == [0, 500, 500]
    assert policy.told[-1] == (1.5, "ready", "large")


def test_make_before_break_answers_all_the_time_and_holds_both() -> None:
    found, policy = play([300] * 11, {0.0: to("medium"), 5.0: to("small", "medium")})
    assert found.time_by_rung == pytest.approx({None: 2.0, "large": 0.0, "medium": 5.0, "small": 3.0})
    assert policy.own == [0, 300, 300, 300, 300, 300, 400, 400, 100, 100, 100]
    assert policy.told[-1] == (7.04, "ready", "small")


def test_both_fit_up_to_the_very_ceiling() -> None:
    for external, seconds in ((400, 2.0), (401, 4.04)):
        found, _ = play([external] * 11, {0.0: to("medium"), 5.0: to("small", "medium")})
        assert found.time_by_rung[None] == pytest.approx(seconds)


def test_an_immediate_shift_breaks_first_even_where_both_fit() -> None:
    found, policy = play([0] * 11, {0.0: to("medium"), 5.0: now("small", "medium")})
    assert found.time_by_rung == pytest.approx({None: 4.04, "large": 0.0, "medium": 3.0, "small": 2.96})
    assert policy.told[-1] == (7.04, "ready", "small")


def test_an_unload_gives_the_memory_back_after_a_moment() -> None:
    samples = [Sample(t, {"ram": Pool(1000, 0)}) for t in (0.0, 5.0, 5.03, 5.05, 6.0)]
    found, policy = play(samples, {0.0: to("large"), 5.0: now(None, "large")})
    assert policy.own == [0, 500, 500, 0, 0]
    assert policy.told[2:] == [(5.0, "shifting", "large"), (5.04, "empty", None)]
    assert found.time_by_rung["large"] == pytest.approx(3.0)
    assert [(m.rung, m.serving) for m in found.timeline] == [
        (None, False), ("large", True), (None, False), (None, False), (None, False),
    ]  # fmt: skip


def test_what_is_loaded_already_is_told_again_at_once_and_is_no_shift() -> None:
    found, policy = play([0] * 6, {0.0: to(None), 1.0: to("small"), 4.0: to("small", "small")})
    assert policy.told == [
        (0.0, "empty", None), (1.0, "shifting", None), (3.0, "ready", "small"), (4.0, "ready", "small"),
    ]  # fmt: skip
    assert found.shifts == () and len(found.decisions) == 3


def test_the_latest_decision_waits_for_the_action_under_way_and_takes_the_place_of_older_ones() -> None:
    script = {0.0: to("large"), 1.0: to("medium"), 2.0: to("small")}
    found, policy = play([300] * 13, script, load_time=5.0)
    assert policy.told == [
        (0.0, "shifting", None), (5.0, "ready", "large"), (5.0, "shifting", "large"), (10.04, "ready", "small"),
    ]  # fmt: skip
    assert [(s.decision.time, s.began) for s in found.shifts] == [(2.0, 5.0)]
    assert len(found.decisions) == 3


def test_what_was_loaded_beside_is_dropped_when_a_newer_decision_came_meanwhile() -> None:
    samples = [Sample(t, {"ram": Pool(1000, 0)}) for t in (0.0, 5.0, 6.0, 7.02, 7.1, 12.0)]
    found, policy = play(samples, {0.0: to("medium"), 5.0: to("small", "medium"), 6.0: to("large", "medium")})
    assert policy.told[2:] == [
        (5.0, "shifting", "medium"),
        (7.04, "shifting", "medium"), (9.08, "ready", "large"),
    ]  # fmt: skip
    assert policy.own == [0, 300, 400, 400, 800, 500]
    assert found.time_by_rung["medium"] == pytest.approx(9.04 - 2.0)
    assert [s.decision.target for s in found.shifts] == ["large"]


def test_an_immediate_decision_ends_a_load_that_is_under_way() -> None:
    script = {0.0: to("medium"), 5.0: to("small", "medium"), 6.0: now("small", "medium")}
    found, policy = play([0] * 13, script)
    assert found.time_by_rung == pytest.approx({None: 2 + 2.08, "large": 0.0, "medium": 4.0, "small": 3.92})
    assert policy.told[3:] == [(6.04, "shifting", "medium"), (8.08, "ready", "small")]


def test_a_pool_that_cannot_be_read_stays_as_it_was_and_nothing_is_loaded_beside() -> None:
    found, policy = play([300, 300, 300, None, None, None, 250, 250], {0.0: to("medium"), 4.0: to("small", "medium")})
    assert policy.own == [0, 300, 300, None, None, None, 100, 100]
    assert [m.external["ram"] for m in found.timeline] == [300] * 6 + [250] * 2
    assert [m.used["ram"] for m in found.timeline] == [300, 600, 600, 600, 600, 400, 350, 350]
    assert policy.told[-1] == (6.04, "ready", "small") and found.time_by_rung[None] == pytest.approx(4.04)


def test_a_pool_that_was_never_read_has_nothing_to_be_above() -> None:
    found, policy = play([None] * 5, {0.0: to("large")})
    assert policy.own == [None] * 5 and found.timeline[-1].used == {}
    assert (found.time_by_rung["large"], found.above_seconds) == (2.0, 0.0)


def test_time_does_not_pass_at_samples_that_are_late() -> None:
    samples = [Sample(t, {"ram": Pool(1000, used)}) for t, used in ((0.0, 1), (4.0, 2), (3.0, 3), (4.0, 4), (5.0, 5))]
    found, policy = play(samples, {0.0: to("large")})
    assert found.seconds == 5.0 and [m.time for m in found.timeline] == [0.0, 4.0, 4.0, 4.0, 5.0]
    assert [s.time for s in policy.samples] == [0.0, 4.0, 3.0, 4.0, 5.0]
    assert [m.external["ram"] for m in found.timeline] == [1, 2, 3, 4, 5]


def test_seconds_above_the_ceiling_count_only_with_a_model_there() -> None:
    found, _ = play([900, 400, 400, 400, 310, 290], {1.0: to("large")}, load_time=1.0)
    assert found.above_seconds == pytest.approx(4.0) and found.overcommit_seconds == 0.0
    assert (found.mean_quality, found.effective_quality) == pytest.approx((4.0 * 3 / 5, 0.0))


def test_a_ceiling_of_its_own_changes_what_is_measured_and_nothing_else() -> None:
    usual, _ = play([400] * 5, {0.0: to("large")})
    other, policy = play([400] * 5, {0.0: to("large")}, ceiling=0.95)
    assert (usual.above_seconds, other.above_seconds) == (4.0, 0.0)
    assert usual.timeline == other.timeline and len(policy.told) == 2


class Follows(Scripted):
    """Asks for the small rung as soon as it hears that the large one is there."""

    def residency(self, residency: Residency) -> Decision | None:
        super().residency(residency)
        there = (residency.state, residency.rung) == ("ready", "large")
        return to("small", "large", time=residency.time) if there else None


def test_a_decision_on_a_residency_is_obeyed() -> None:
    policy = Follows({0.0: to("large")})
    simulate(ram([400] * 9), LADDER, Settings(), policy=policy, load_time=2)
    assert policy.told[1:] == [(2.0, "ready", "large"), (2.0, "shifting", "large"), (4.04, "ready", "small")]


def test_a_decision_on_a_request_is_obeyed() -> None:
    _, policy = play([0] * 6, {1.5: to("small")}, requests=[Request(1.5, 10, 10)])
    assert policy.requests == [1.5] and policy.told == [(1.5, "shifting", None), (3.5, "ready", "small")]


class Circular(Scripted):
    def residency(self, residency: Residency) -> Decision | None:
        return to("large", residency.rung, time=residency.time)


def test_a_policy_that_goes_round_in_circles_is_told_so() -> None:
    with pytest.raises(RuntimeError, match=r"made 1000 decisions at 2.0 s, and each led to the next"):
        simulate(ram([0] * 5), LADDER, Settings(), load_time=2, policy=Circular({0.0: to("large")}))
