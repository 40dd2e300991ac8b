import math
from pathlib import Path

import msgspec
import pytest
from gearshift.pipeline import Rung, load
from gearshift.pipeline.fleet import Course, course, merit, simulate_fleet
from gearshift.pipeline.fleet.world import Node, world
from hypothesis import given, settings
from hypothesis import strategies as st

from .drawn import course_of, courses, stands

RECORDINGS = sorted((Path(__file__).parents[2] / "recordings").glob("*.jsonl"))
LADDER = [Rung("large", {"ram": 18_500_000_000}), Rung("small", {"ram": 4_000_000_000}, quality=0.7)]
AWAY, LARGE, SMALL = stands(None), stands("large"), stands("small")
CALM = course_of((100, LARGE))
PLACEMENTS = ("merit", "fresh", "fewest waiting", "round robin", "random")


def test_a_reply_is_worth_the_quality_of_its_rung_over_its_slowdown() -> None:
    found = simulate_fleet([course_of((100, SMALL))], nodes=1, requests=[0.0, 0.0, 20.0], seconds=60.0, reply=5.0)
    assert found.mean_value == pytest.approx((0.6 + 0.6 / 2 + 0.6) / 3)
    assert (found.mean_quality, found.waited) == (pytest.approx(0.6), pytest.approx(5 / 3))
    assert (found.answered, found.requests, found.busy) == ({"small": 3}, 3, 0.25)


def test_what_has_not_begun_before_the_end_is_not_answered_and_worth_nothing() -> None:
    found = simulate_fleet([CALM], nodes=1, requests=[0.0] * 4, seconds=10.0, reply=4.0)
    assert (found.answered, found.requests) == ({"large": 3}, 4)
    assert found.mean_value == pytest.approx((1 + 1 / 2 + 1 / 3) / 4) and found.busy == 1.0


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_where_nobody_ever_answers_nothing_is_worth_anything(placement) -> None:
    found = simulate_fleet([course_of((9, AWAY))], nodes=3, rate=1.0, seconds=60.0, placement=placement)
    assert (found.mean_value, found.mean_quality, found.answered, found.waited) == (0.0, 0.0, {}, 0.0)


def test_without_requests_there_is_nothing_to_tell_but_messages() -> None:
    found = simulate_fleet([CALM], nodes=3, requests=[], seconds=60.0, report=2.0)
    assert (found.requests, found.mean_value, found.messages) == (0, 0.0, 1.5)


def test_messages_are_a_report_of_each_node_a_period_and_each_of_its_changes() -> None:
    busy = course_of((60, LARGE), changes=(0.0, 10.0, 10.0, 40.0))
    found = simulate_fleet([busy], nodes=10, requests=[], seconds=120.0, report=5.0)
    assert found.messages == pytest.approx(10 / 5 + 10 * 8 / 120)


def test_by_merit_the_best_rung_answers_while_it_is_idle() -> None:
    found = simulate_fleet([CALM, course_of((100, SMALL))], nodes=10, rate=0.1, seconds=600.0, seed=1)
    assert set(found.answered) == {"large"} and found.mean_value > 0.99


def test_what_was_reported_before_a_change_is_still_believed() -> None:
    flickering = [course_of((6, LARGE), (6, stands(ready=False))), course_of((100, SMALL))]
    stale, fresh = (
        simulate_fleet(flickering, nodes=8, rate=0.5, seconds=600.0, reply=1.0, report=60.0, placement=placement)
        for placement in ("merit", "fresh")
    )
    assert fresh.mean_value > stale.mean_value and fresh.waited < stale.waited


def test_equal_seeds_give_equal_results_and_others_do_not() -> None:
    for placement in PLACEMENTS:
        one, same, other = (
            simulate_fleet([CALM], nodes=4, rate=1.0, seconds=60.0, placement=placement, seed=seed)
            for seed in (1, 1, 2)
        )
        assert one == same != other and one.placement == placement


def test_recordings_and_their_courses_give_the_same() -> None:
    recordings = [load(file) for file in RECORDINGS]
    played = [course(each, LADDER) for each in recordings]
    fleet = {"nodes": 6, "rate": 1.0, "seconds": 300.0}
    assert simulate_fleet(recordings, LADDER, **fleet) == simulate_fleet(played, **fleet)
    assert simulate_fleet([each.samples for each in recordings], lambda _: LADDER, **fleet).requests > 250


def naive(found: list[Course], placement: str, report: float, **fleet) -> tuple[float, float, int]:
    """The same with a look at every node for every request: value, wait and replies, summed up."""
    here = world(found, None, None, requests=None, load_time=None, slotted=False, **fleet)
    ends: list[list[float]] = [[] for _ in here.nodes]
    value = waited = 0.0
    count = 0
    for arrival in here.requests:

        def score(number: int, arrival: float = arrival) -> tuple:
            node, ahead = here.nodes[number], sum(end > arrival for end in ends[number])
            if placement == "fewest waiting":
                return -ahead, -number
            return merit(node.at(arrival if placement == "fresh" else told(node, arrival, report)), ahead), -number

        number = max(range(len(here.nodes)), key=score)
        begins, standing = here.nodes[number].take(arrival, here.reply)
        ends[number].append(begins + here.reply)
        if standing is not None and begins < here.seconds:
            value += standing.quality / ((begins - arrival + here.reply) / here.reply)
            waited += begins - arrival
            count += 1
    return value, waited, count


def told(node: Node, arrival: float, report: float) -> float:
    """When the node reported last."""
    return max(0.0, (math.floor(arrival / report - node.phase) + node.phase) * report)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(courses, min_size=1, max_size=3),
    st.integers(1, 6),
    st.sampled_from(["merit", "fresh", "fewest waiting"]),
    st.integers(0, 10**6),
)
def test_it_equals_a_look_at_every_node_for_every_request(found, nodes, placement, seed) -> None:
    fleet = {"nodes": nodes, "rate": 0.3 * nodes, "seconds": 60.0, "reply": 2.0, "seed": seed}
    one = simulate_fleet(found, placement=placement, report=7.0, **fleet)
    value, waited, count = naive(found, placement, 7.0, **fleet)
    assert sum(one.answered.values()) == count
    assert one.mean_value * one.requests == pytest.approx(value)
    assert one.waited * count == pytest.approx(waited, abs=1e-6)


def test_a_thousand_nodes_look_at_a_few_nodes_for_each_request() -> None:
    looks = 0

    def counted(standing, ahead):
        nonlocal looks
        looks += 1
        return merit(standing, ahead)

    played = [course(load(file), LADDER) for file in RECORDINGS]
    found = simulate_fleet(played, nodes=1000, rate=10.0, seconds=600.0, placement=counted)
    news = sum(len(each.times) for each in played) / len(played) * 1000 * 600 / min(each.seconds for each in played)
    assert found.placement == "counted" and found.requests > 5000
    assert looks < 1 + 2 * found.requests + news


def test_a_result_travels_as_json_and_shows_itself() -> None:
    found = simulate_fleet([CALM], nodes=4, rate=1.0, seconds=60.0)
    assert msgspec.json.decode(msgspec.json.encode(found), type=type(found)) == found
    assert all(word in found._repr_html_() for word in ("merit", "mean value", "60 s"))
