"""The view of a fleet, on a clock of its own."""

from gearshift.pipeline import Residency
from gearshift.pipeline.fleet import FleetView, NodeItem, Standing


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def stands(node: str, *, time: float = 0.0, assistant: bool = True, fits: str | None = "large") -> Standing:
    return Standing(node, time, fits=fits, assistant=assistant)


def test_it_knows_the_newest_standing_of_each_node() -> None:
    view = FleetView()
    view.report("a", [stands("a"), stands("a", time=1.0)], assistant=True)
    view.report("b", [stands("b")], assistant=True)
    assert {node: told.time for node, told in view.standings.items()} == {"a": 1.0, "b": 0.0}


def test_a_node_that_is_silent_for_long_is_gone_and_one_that_left_at_once() -> None:
    clock = Clock()
    view = FleetView(silence=10, clock=clock)
    for node in ("a", "b", "c"):
        view.report(node, [stands(node)], assistant=True)
    view.left("b")
    clock.now = 10.0
    view.report("c", [stands("c")], assistant=True)
    assert set(view.standings) == {"a", "c"}
    clock.now = 10.1
    assert set(view.standings) == {"c"}


def test_where_an_assistant_tells_of_a_node_nobody_else_is_heard_until_it_is_silent() -> None:
    clock = Clock()
    view = FleetView(silence=10, clock=clock)
    view.report("a", [stands("a", assistant=True)], assistant=True)
    view.report("a", [stands("a", assistant=False, time=5.0)], assistant=False)
    assert view.standings["a"].assistant
    clock.now = 11.0
    view.report("a", [stands("a", assistant=False, time=6.0)], assistant=False)
    assert not view.standings["a"].assistant


def test_free_are_places_without_an_assistant_that_have_room_for_one() -> None:
    view = FleetView()
    view.report("a", [stands("a", assistant=True)], assistant=True)
    view.report("b", [stands("b", assistant=False)], assistant=False)
    view.report("c", [stands("c", assistant=False, fits=None)], assistant=False)
    assert view.free({"a", "b", "c"}) == 1
    assert view.free({"a", "c"}) == 0


def test_who_watches_gets_each_item_of_its_kinds_once_in_order() -> None:
    view = FleetView()
    start = view.since(None, ["residencies"])
    view.report("a", [Residency(1.0), stands("a"), Residency(2.0)], assistant=True)
    first = view.since(start.after, ["residencies"])
    view.report("b", [Residency(3.0)], assistant=True)
    second = view.since(first.after, ["residencies"])
    assert first.items == [NodeItem("a", Residency(1.0)), NodeItem("a", Residency(2.0))]
    assert second.items == [NodeItem("b", Residency(3.0))]
    assert view.since(second.after, ["residencies"]).items == []


def test_who_begins_to_watch_standings_gets_the_newest_first() -> None:
    view = FleetView()
    view.report("a", [stands("a", time=1.0), stands("a", time=2.0)], assistant=True)
    assert view.since(None, ["standings"]).items == [NodeItem("a", stands("a", time=2.0))]
    assert view.since(None, ["decisions"]).items == []


def test_who_asks_too_rarely_is_told_how_much_is_missing() -> None:
    view = FleetView(kept=3)
    start = view.since(None, ["residencies"])
    view.report("a", [Residency(float(number)) for number in range(5)], assistant=True)
    told = view.since(start.after, ["residencies"])
    assert [each.item.time for each in told.items] == [2.0, 3.0, 4.0]
    assert told.missed == 2
