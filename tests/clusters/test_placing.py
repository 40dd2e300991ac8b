"""Where requests go, and what those who watch see of it."""

import tests.with_ray  # noqa: F401

# isort: split

import asyncio

import pytest
from gearshift.models import Options
from gearshift.models.serve import Fleet
from gearshift.pipeline import Decision, Outlook
from gearshift.pipeline.fleet import NodeItem

from tests.clusters.town import Town
from tests.survival.exhaustion.group import why_not
from tests.waiting import until

SHORT = Options(max_new_tokens=12)
pytestmark = pytest.mark.slow


def test_a_conversation_goes_on_whichever_node_answers(town: Town) -> None:
    said = [town.fleet.respond(question, "ann", options=SHORT) for question in ("One", "Two")]
    asked = [message["content"] for message in town.fleet.history("ann")]
    assert asked == ["One", str(said[0]), "Two", str(said[1])]
    assert all(reply.tokens == 12 and reply.end == "length" for reply in said)
    assert town.fleet.forget("ann")
    assert town.fleet.history("ann") == []


def test_two_replies_at_once_are_written_by_two_nodes(town: Town) -> None:
    until(lambda: list(town.able.values()) == ["large", "large"])  # a node that was lost before begins one lower

    async def both() -> set[str]:
        long = Options(max_new_tokens=300)
        replies = [asyncio.create_task(town.fleet.generate_response(text, options=long)) for text in ("One", "Two")]
        writing: set[str] = set()
        while len(writing) < 2 and not all(reply.done() for reply in replies):
            writing |= {node for node, told in town.fleet.nodes.items() if told.waiting}
            await asyncio.sleep(0.05)
        await asyncio.gather(*replies)
        return writing

    assert len(asyncio.run(both())) == 2


@pytest.mark.skipif(bool(why_not()), reason=f"no memory group for a node: {why_not()}")
def test_requests_move_to_the_node_that_has_room(town: Town) -> None:
    until(lambda: list(town.able.values()) == ["large", "large"])
    crowded, other = sorted(town.able)
    decided: list[NodeItem] = []
    with town.fleet.decisions.subscribe(decided.append):
        with town.hog(crowded, town.all_but(crowded, 200)):
            until(lambda: town.able.get(crowded) != "large")
            replies = [town.fleet.respond("Where?", options=SHORT) for _ in range(4)]
            assert {reply.rungs for reply in replies} == {("large",)}
            until(lambda: any(each.node == crowded for each in decided), 60)
        until(lambda: town.able.get(crowded) == "large", 120)
    downward = [each.item for each in decided if each.node == crowded and each.item.kind != "upgrade"]
    assert downward
    assert not [each for each in decided if each.node == other]
    assert isinstance(downward[0], Decision)


def test_an_application_that_is_not_there_is_told_by_its_name(town: Town) -> None:
    assert town.fleet.nodes
    with pytest.raises(RuntimeError, match="no fleet answers as the application 'nowhere': .* start one first"):
        Fleet("nowhere")


def test_outlooks_come_from_every_node_and_from_the_head(town: Town) -> None:
    seen: dict[str, Outlook] = {}
    with town.fleet.outlooks.subscribe(lambda told: seen.update({told.node: told.item})):
        until(lambda: len(seen) == 3, 60)
    assert all(outlook.pools["ram"] is not None for outlook in seen.values())
    assert sum(not told.assistant for told in town.fleet.nodes.values()) == 1
