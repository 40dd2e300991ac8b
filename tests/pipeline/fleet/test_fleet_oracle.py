import math
import sys
from itertools import product

import pytest
from gearshift.pipeline.fleet import Course, fleet_oracle, simulate_fleet
from gearshift.pipeline.fleet.world import World, world
from hypothesis import given, settings
from hypothesis import strategies as st

from .drawn import course_of, courses, stands

CALM = course_of((100, stands("large")))
few = st.lists(courses, min_size=1, max_size=3)
numbers = st.integers(0, 10**6)
PLACEMENTS = ("merit", "fresh", "fewest waiting", "round robin", "random")


def best(here: World) -> float:
    """The largest sum of values, of all that can be done."""
    slots = range(math.ceil(here.seconds / here.reply))
    places = [(node, slot) for node in range(len(here.nodes)) for slot in slots]

    def worth(arrival: float, place: tuple[int, int] | None) -> float:
        if place is None:
            return 0.0
        standing, late = here.nodes[place[0]].at(place[1] * here.reply), place[1] - round(arrival / here.reply)
        return standing.quality / (1 + late) if standing.ready and late >= 0 else 0.0

    found = 0.0
    for chosen in product([None, *places], repeat=len(here.requests)):
        taken = [place for place in chosen if place is not None]
        if len(set(taken)) == len(taken):
            found = max(found, sum(map(worth, here.requests, chosen)))
    return found


@settings(max_examples=40, deadline=None)
@given(few, st.lists(st.floats(0, 9.9), max_size=3).map(sorted), numbers)
def test_it_is_the_best_of_all_that_can_be_done(found: list[Course], times: list[float], seed: int) -> None:
    fleet = {"nodes": 2, "requests": times, "seconds": 10.0, "reply": 3.0, "seed": seed}
    here = world(found, None, None, rate=None, load_time=None, slotted=True, **fleet)
    told = fleet_oracle(found, **fleet)
    assert told.mean_value * len(times) == pytest.approx(best(here))


@settings(max_examples=60, deadline=None)
@given(few, st.integers(1, 4), st.floats(0.05, 1.5), numbers)
def test_no_placement_beats_it(found: list[Course], nodes: int, busy: float, seed: int) -> None:
    fleet = {"nodes": nodes, "rate": busy * nodes / 3.0, "seconds": 60.0, "reply": 3.0, "seed": seed}
    bound = fleet_oracle(found, **fleet)
    for placement in PLACEMENTS:
        reached = simulate_fleet(found, placement=placement, slotted=True, **fleet)
        assert reached.requests == bound.requests and reached.messages == bound.messages
        assert reached.mean_value <= bound.mean_value + 1e-9


def test_a_fleet_that_is_never_short_loses_nothing_to_it() -> None:
    fleet = {"nodes": 3, "requests": [0.0, 1.0, 7.0, 20.0], "seconds": 60.0, "reply": 5.0}
    found, bound = simulate_fleet([CALM], slotted=True, **fleet), fleet_oracle([CALM], **fleet)
    assert bound.placement == "oracle" and found.mean_value == bound.mean_value == 1.0
    assert bound.answered == {"large": 4} and bound.waited == 0.0


def test_it_lets_a_request_wait_for_a_better_rung_where_the_wait_is_worth_it() -> None:
    away = course_of((50, stands(None)), (50, stands("large")))
    fleet = {"nodes": 1, "requests": [0.0], "seconds": 100.0, "reply": 1.0}
    found = fleet_oracle([away], **fleet)
    assert found.answered == {"large": 1} and found.mean_value == pytest.approx(1 / (1 + found.waited))


@pytest.mark.parametrize("changed", [{"requests": []}, {"requests": [1.0, 2.0]}])
def test_no_requests_or_no_node_that_is_ever_ready_are_worth_nothing(changed) -> None:
    found = fleet_oracle([course_of((9, stands(None)))], nodes=2, seconds=60.0, **changed)
    assert (found.mean_value, found.answered) == (0.0, {})


def test_a_fleet_that_is_too_large_for_it_is_refused() -> None:
    with pytest.raises(ValueError, match=r"fleet_oracle is for small fleets, .* lower nodes, rate or seconds"):
        fleet_oracle([CALM], nodes=100, rate=10.0)


def test_without_scipy_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(ImportError, match="fleet_oracle needs scipy .*; run: pip install scipy"):
        fleet_oracle([CALM], nodes=1, rate=1.0, seconds=60.0)
