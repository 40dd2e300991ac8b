"""The head goes, with the view, the HTTP face and Serve's controller, and comes back."""

import openai
import pytest
from gearshift.models import Options
from gearshift.pipeline import Residency
from gearshift.pipeline.fleet import NodeItem

from tests.clusters.town import PATIENCE, Town
from tests.survival.exhaustion.group import why_not
from tests.waiting import until

SHORT = Options(max_new_tokens=12)
pytestmark = pytest.mark.slow


def test_a_head_that_restarts_finds_conversations_nodes_and_models_as_they_were(town: Town) -> None:
    before = town.fleet.respond("Before", "cleo", options=SHORT)
    nodes, client = set(town.able), openai.OpenAI(base_url=town.url, api_key="unused", max_retries=0)
    town.disconnect()
    town.kill_head()
    town.begin_head()
    until(lambda: _answers(client), PATIENCE)
    town.reconnect()
    town.ready()
    assert set(town.able) == nodes
    assert town.fleet.history("cleo")[-1]["content"] == str(before)
    assert town.fleet.respond("After", "cleo", options=SHORT).tokens == 12
    assert len(town.fleet.history("cleo")) == 4


@pytest.mark.skipif(bool(why_not()), reason=f"no memory group for a node: {why_not()}")
def test_a_node_decides_and_shifts_while_the_head_is_away(town: Town) -> None:
    node = sorted(town.able)[0]
    told: list[NodeItem] = []
    town.lose_head_service()
    try:
        with town.hog(node, town.all_but(node, 200)):
            until(lambda: not town.holds_model(node), 60)
    finally:
        town.begin_head_service()
    with town.fleet.residencies.subscribe(told.append):
        until(lambda: any(each.node == node and isinstance(each.item, Residency) for each in told), PATIENCE)
    town.ready()


def _answers(client: openai.OpenAI) -> bool:
    try:
        client.chat.completions.create(
            model="gearshift", messages=[{"role": "user", "content": "There?"}], max_completion_tokens=4
        )
    except openai.APIError:
        return False
    return True
