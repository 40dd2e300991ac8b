"""What a node takes with it when it goes: nothing that was said, and no reply."""

import threading

import pytest
from gearshift.models import Options, Reply

from tests.clusters.town import Town
from tests.waiting import until

LONG = Options(max_new_tokens=600)
pytestmark = pytest.mark.slow


class Telling:
    """A reply that is asked for, and read as it comes, in a thread."""

    def __init__(self, town: Town, question: str, conversation: str) -> None:
        self.pieces: list[str] = []
        self.replies: list[Reply] = []
        self._ask = lambda: town.fleet.respond(
            question, conversation, options=LONG, on_text=self.pieces.append, timeout=120
        )
        self._thread = threading.Thread(target=lambda: self.replies.append(self._ask()))

    def __enter__(self) -> "Telling":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(130)

    @property
    def reply(self) -> Reply:
        (found,) = self.replies
        return found


def test_a_reply_whose_node_is_killed_goes_on_elsewhere_from_its_last_word(town: Town) -> None:
    with Telling(town, "Tell me a long story", "ben") as telling:
        node = town.busy()
        said = len(telling.pieces)
        town.kill(node)
    assert said < 600
    assert telling.reply.tokens == 600
    assert telling.reply.end == "length"
    assert "".join(telling.pieces) == str(telling.reply)
    assert len(telling.reply) == 600  # a token of this model is one letter: none is there twice, and none is missing
    assert town.fleet.history("ben")[-1] == {"role": "assistant", "content": str(telling.reply)}
    until(lambda: node not in town.fleet.nodes)
    town.add()
    town.ready()
