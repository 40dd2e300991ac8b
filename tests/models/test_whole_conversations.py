"""Whole conversations, as chat messages that the app keeps, and texts that end a reply."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gearshift.models import Ladder, ModelSpec, Options
from gearshift.models.engine.loading import load_transformers
from gearshift.models.replies.conversation import Message, checked_question, fitted

from tests.models.machine import FOUR, Machine
from tests.models.replies import reply

TALK: list[Message] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "first"},
    {"role": "assistant", "content": "one"},
    {"role": "user", "content": "second"},
]


@pytest.fixture
def machine(ladder: Ladder) -> Iterator[Machine]:
    machine = Machine(ladder, more={"system": "Be kind.", "name_rung": False})
    machine.load()
    yield machine
    machine.manager.shutdown()


def test_a_whole_conversation_is_answered_as_it_is_and_nothing_of_it_is_kept(machine: Machine) -> None:
    machine.manager.respond(TALK, options=FOUR)
    asyncio.run(machine.manager.generate_response(TALK, options=FOUR))
    machine.manager.respond("kept", options=FOUR)
    told = [messages for messages, _ in machine.loader.loaded[0].asked]
    assert told[:2] == [TALK, TALK]
    assert [m["content"] for m in told[2]] == ["Be kind.", "kept"]
    assert [m["content"] for m in machine.manager.history()[:1]] == ["kept"]


def test_one_without_a_system_prompt_gets_the_managers(machine: Machine) -> None:
    machine.manager.respond(TALK[1:], options=FOUR)
    told, _ = machine.loader.loaded[0].asked[0]
    assert told == [{"role": "system", "content": "Be kind."}, *TALK[1:]]


def test_what_the_app_changes_while_a_reply_waits_for_its_turn_is_not_asked(machine: Machine) -> None:
    mine = [dict(message) for message in TALK]
    stream = machine.manager.stream_response(mine, options=FOUR)

    async def talk() -> None:
        async for _ in stream:
            mine[-1]["content"] = "changed"

    asyncio.run(talk())
    assert machine.loader.loaded[0].asked[0][0] == TALK and mine[-1]["content"] == "changed"


@pytest.mark.parametrize(
    ("messages", "error", "told"),
    [
        ([], ValueError, "message must hold at least the user's question, got an empty list"),
        (["hi"], TypeError, r"message\[0\] must be a dict with 'role' and 'content', got 'hi'"),
        ([{"role": "user"}], TypeError, r"message\[0\] must be a dict with 'role' and 'content'"),
        ([{"role": "tool", "content": "x"}], ValueError, r"message\[0\] must have a role of system, user, assistant"),
        ([{"role": "user", "content": None}], TypeError, r"message\[0\]\['content'\] must be a str"),
        ([{"role": "user", "content": "\ud800"}], ValueError, "lone surrogate"),
        (TALK[:3], ValueError, "the last message must be the user's.*, got role='assistant'"),
        ({"role": "user", "content": "x"}, TypeError, "message must be a str"),
        (b"bytes", TypeError, "message must be a str"),
    ],
)
def test_messages_that_cannot_be_used_are_refused_by_name(messages: Any, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        checked_question(messages, "default")


def test_a_whole_conversation_has_no_id(machine: Machine) -> None:
    with pytest.raises(ValueError, match="conversation_id='b'.*leave that out"):
        machine.manager.respond(TALK, "b")


def test_turns_that_do_not_alternate_go_whole_and_the_latest_question_stays() -> None:
    def turn(*said: str) -> list[Message]:
        return [{"role": {"u": "user", "a": "assistant"}[text[0]], "content": text} for text in said]

    messages = turn("a0", "u1", "u2", "a2", "a2b", "u3")
    kept = {room: [m["content"] for m in fitted(messages, list, lambda f: len(f) <= room)] for room in (5, 4, 3, 1)}  # noqa: B023
    assert kept == {5: ["u1", "u2", "a2", "a2b", "u3"], 4: ["u2", "a2", "a2b", "u3"], 3: ["u3"], 1: ["u3"]}


def test_a_text_to_stop_at_ends_the_reply_before_it(checkpoints: dict[str, Path]) -> None:
    small = load_transformers(ModelSpec(name="small", source=str(checkpoints["small"]), context=512))
    varied: dict[str, Any] = {"max_new_tokens": 24, "sampling": {"no_repeat_ngram_size": 4}}
    whole, _ = reply(small, **varied)
    stop = whole[7:10]
    cut, written = reply(small, stop=("nowhere", stop), **varied)
    assert cut == whole[: whole.index(stop)] and written.end == "eos"


@pytest.mark.parametrize("stop", ["STOP", ["STOP"], ("",), (1,)])
def test_texts_to_stop_at_that_cannot_be_used_are_refused(stop: Any) -> None:
    with pytest.raises(TypeError, match="stop must be a tuple of texts that aren't empty"):
        Options(stop=stop)
