import math
from collections import Counter

import pytest
from gearshift.pipeline.fleet import Course, simulate_fleet
from gearshift.pipeline.fleet.world import Node, SlottedNode, World, world
from hypothesis import given
from hypothesis import strategies as st

from .drawn import course_of, courses, stands

AWAY, LARGE, SMALL = stands(None), stands("large"), stands("small")
CALM = course_of((100, LARGE))


def made(played: list[Course], **changed) -> World:
    usual = dict(
        nodes=4, seconds=60.0, rate=1.0, requests=None, reply=5.0, load_time=None, slotted=False, seed=0,
    )  # fmt: skip
    return world(played, None, None, **{**usual, **changed})


def test_a_node_answers_one_at_a_time_and_the_others_wait_in_their_order() -> None:
    node = Node(CALM, 30.0, 0.0)
    assert [node.take(arrival, 5.0)[0] for arrival in (0.0, 1.0, 2.0, 40.0, 41.0)] == [0.0, 5.0, 10.0, 40.0, 45.0]


def test_a_line_waits_until_its_node_has_a_rung_that_answers() -> None:
    node = Node(course_of((20, SMALL), (30, AWAY), (50, LARGE)), 10.0, 0.0)
    took = [node.take(arrival, 5.0) for arrival in (2.0, 6.0, 8.0, 15.0)]
    assert took == [(2.0, SMALL), (7.0, SMALL), (40.0, LARGE), (45.0, LARGE)]


def test_in_slots_a_reply_begins_only_where_the_node_is_ready_at_the_begin_of_one() -> None:
    node = SlottedNode(course_of((7, SMALL), (5, AWAY), (88, LARGE)), 0.0, 0.0, slot=5.0, slots=12)
    assert [node.take(arrival, 5.0) for arrival in (0.0, 0.0, 0.0)] == [(0.0, SMALL), (5.0, SMALL), (15.0, LARGE)]
    assert [node.take(55.0, 5.0)[0] for _ in range(2)] == [55.0, math.inf]


@given(courses, st.floats(0, 1), st.floats(0, 1), st.floats(0.5, 30), st.lists(st.floats(0, 99), max_size=9))
def test_what_was_told_last_is_how_the_node_stood_at_its_last_report(
    found: Course, place: float, phase: float, every: float, moments: list[float]
) -> None:
    node = Node(found, place * found.seconds, phase)
    told, changes = list(node.told(100.0, every)), [time for time, _ in node.told(100.0, 0.0)]
    times = [time for time, _ in told]
    assert times[0] == 0.0 and times == sorted(set(times))
    for moment in moments:
        newest = [each for time, each in told if time <= moment][-1]
        report = max(0.0, (math.floor(moment / every - phase) + phase) * every)
        if all(abs(time - report) > 1e-6 for time in changes):
            assert newest == node.at(report)


def test_equal_seeds_give_equal_requests_and_nodes_of_which_a_smaller_fleet_has_the_first() -> None:
    one, same = made([CALM], seed=3), made([CALM], seed=3, nodes=9, reply=2.0)
    assert [(node.offset, node.phase) for node in one.nodes] == [(n.offset, n.phase) for n in same.nodes[:4]]
    assert one.requests == same.requests != made([CALM], seed=4).requests


def test_recordings_are_dealt_out_evenly() -> None:
    played = [course_of((seconds, LARGE)) for seconds in (10, 20, 30)]
    counted = Counter(node.course.seconds for node in made(played, nodes=7).nodes)
    assert sorted(counted.values()) == [2, 2, 3]


def test_requests_come_at_the_rate_that_is_asked_for_all_within_the_time() -> None:
    times = made([CALM], rate=5.0, seconds=2000.0).requests
    assert len(times) == pytest.approx(10_000, rel=0.05) and list(times) == sorted(times)
    assert times[0] > 0 and times[-1] < 2000.0


def test_in_slots_requests_come_at_the_begin_of_theirs() -> None:
    given_times = [0.0, 4.9, 5.0, 59.0]
    assert made([CALM], rate=None, requests=given_times, slotted=True).requests == [0.0, 0.0, 5.0, 55.0]
    assert made([CALM], rate=None, requests=given_times).requests == given_times


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"nodes": 0}, "nodes must be at least 1, got nodes=0"),
        ({"seed": -1}, "seed must be at least 0, got seed=-1"),
        ({"seconds": 0.0}, "seconds must be a finite number above 0, got seconds=0.0"),
        ({"reply": -1.0}, "reply must be a finite number above 0, got reply=-1.0"),
        ({"report": 0.0}, "report must be a finite number above 0, got report=0.0"),
        ({"rate": 0.0}, "rate must be a finite number above 0, got rate=0.0"),
        ({"rate": None}, "either rate or requests must be given, got rate=None and no requests"),
        ({"requests": []}, "either rate or requests must be given, got rate=1.0 and also requests"),
        ({"rate": None, "requests": [3.0, 2.0]}, r"requests must be seconds .* got 2.0 after 3.0; sort them"),
        ({"rate": None, "requests": [60.0]}, r"from 0 to below seconds=60, .* got 60.0 after 0.0"),
        ({"rate": None, "requests": [-1.0]}, r"got -1.0 after 0.0"),
    ],
)
def test_bad_arguments_are_named(changed: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        simulate_fleet([CALM], **{"nodes": 4, "seconds": 60.0, "rate": 1.0, **changed})


def test_a_fleet_needs_recordings_and_recordings_a_ladder() -> None:
    with pytest.raises(ValueError, match="recordings must hold at least one recording"):
        made([])
    with pytest.raises(ValueError, match="ladder must be given for recordings that are not courses yet"):
        simulate_fleet([[]], nodes=1, rate=1.0)
