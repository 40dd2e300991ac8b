"""The head goes, with the view, the HTTP face and Serve's controller, and comes back."""

from typing import NamedTuple

import openai
import pytest
from gearshift.models import Options, Reply

from tests.clusters.town import PATIENCE, Town
from tests.waiting import until

SHORT = Options(max_new_tokens=12)
pytestmark = pytest.mark.slow


class Outage(NamedTuple):
    """before, after: replies. shifted: did a crowded node unload its model, and load it again, while it lasted?"""

    before: Reply
    after: Reply
    nodes: set[str]
    shifted: bool | None


@pytest.fixture(scope="module")
def outage(shared: Town) -> Outage:
    shared.ready()
    before = shared.fleet.respond("Before", "cleo", options=SHORT)
    nodes, client = set(shared.able), openai.OpenAI(base_url=shared.url, api_key="unused", max_retries=0)
    shared.disconnect()
    shared.kill_head()
    shifted = _shifts(shared, min(nodes))
    shared.begin_head()
    until(lambda: _answers(client), PATIENCE)
    shared.reconnect()
    shared.ready()
    return Outage(before, shared.fleet.respond("After", "cleo", options=SHORT), nodes, shifted)


def test_a_node_decides_and_shifts_while_the_head_is_away(outage: Outage) -> None:
    if outage.shifted is None:
        pytest.skip("no memory group for a node can be made here")
    assert outage.shifted


def test_nodes_and_their_models_outlast_the_head(outage: Outage, town: Town) -> None:
    assert set(town.able) == outage.nodes


def test_conversations_outlast_the_head(outage: Outage, town: Town) -> None:
    said = [message["content"] for message in town.fleet.history("cleo")]
    assert said == ["Before", str(outage.before), "After", str(outage.after)]


def _shifts(town: Town, node: str) -> bool | None:
    if node not in town.groups:
        return None
    with town.hog(node, town.all_but(node, 200)):
        until(lambda: not town.models(node), 60)
    until(lambda: town.models(node), 60)
    return True


def _answers(client: openai.OpenAI) -> bool:
    try:
        client.chat.completions.create(
            model="gearshift", messages=[{"role": "user", "content": "There?"}], max_completion_tokens=4
        )
    except openai.APIError:
        return False
    return True
