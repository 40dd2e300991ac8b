"""Histories: what is kept, what is cut off for a context, and what a file gives back."""

import asyncio
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from gearshift.models import ConversationError, Ladder
from gearshift.models.replies.conversation import Conversations, Message, fitted, naming
from hypothesis import given
from hypothesis import strategies as st

from .machine import FOUR, Machine


def talk(turns: int, system: bool = True) -> list[Message]:
    said = [
        {"role": role, "content": f"{role[0]}{i}"} for i in range(turns) for role in ("user", "assistant")
    ]  # fmt: skip
    return [*([{"role": "system", "content": "s"}] if system else []), *said, {"role": "user", "content": "now"}]


def test_the_oldest_turns_go_and_the_system_prompt_and_the_latest_stay() -> None:
    kept = fitted(talk(5), list, lambda found: len(found) <= 6)
    assert [m["content"] for m in kept] == ["s", "u3", "a3", "u4", "a4", "now"]


@given(turns=st.integers(0, 40), room=st.integers(1, 90), system=st.booleans())
def test_as_many_whole_turns_stay_as_fit_and_they_are_the_latest(turns: int, room: int, system: bool) -> None:
    messages = talk(turns, system)
    least = 1 + system
    if room < least:
        with pytest.raises(ValueError, match="longer than the rung's context"):
            fitted(messages, list, lambda found: len(found) <= room)
        return
    kept = fitted(messages, list, lambda found: len(found) <= room)
    pairs = min(turns, (room - least) // 2)
    assert kept == [*messages[:system], *messages[len(messages) - 1 - 2 * pairs :]]


def test_a_long_history_is_rendered_a_few_times_only() -> None:
    rendered: list[int] = []

    def tokens(messages: list[Message]) -> int:
        rendered.append(len(messages))
        return len(messages)

    assert fitted(talk(1000), tokens, lambda count: count <= 100) == 100
    assert len(rendered) <= 13


def test_a_talk_that_has_gone_on_for_very_long_costs_no_more_to_fit() -> None:
    rendered: list[int] = []

    def tokens(messages: list[Message]) -> int:
        rendered.append(len(messages))
        return len(messages)

    assert fitted(talk(50_000), tokens, lambda count: count <= 100) == 100
    assert sum(rendered) < 2000


def test_the_sentence_on_the_rung_joins_the_system_prompt_and_leaves_the_messages_alone() -> None:
    messages = talk(1)
    named = naming(messages, "You are small.")
    assert named[0] == {"role": "system", "content": "s You are small."} and named[1:] == messages[1:]
    assert messages == talk(1)
    assert naming(talk(1, system=False), "You are small.")[0] == {"role": "system", "content": "You are small."}


def test_what_is_saved_is_what_is_restored(tmp_path: Path) -> None:
    one, other = Conversations("Be brief."), Conversations()
    one.add("default", "Hi", "Hello é\n🌍")
    one.add("b", "Who?", "")
    one.save(tmp_path / "kept.json")
    other.add("gone", "x", "y")
    other.restore(tmp_path / "kept.json")
    assert other.history() == one.history() and other.history("b") == one.history("b") and other.history("gone") == []
    assert stat.S_IMODE((tmp_path / "kept.json").stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["kept.json"]


def test_a_save_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Conversations()
    kept.add("default", "Hi", "Hello")
    file = tmp_path / "kept.json"
    kept.save(file)
    before = file.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    kept.add("default", "More", "words")
    with pytest.raises(OSError, match="No space left"):
        kept.save(file)
    assert file.read_bytes() == before and [each.name for each in tmp_path.iterdir()] == ["kept.json"]


TURN = {"role": "user", "content": "Hi"}
ANSWER = {"role": "assistant", "content": "Hello"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "damaged"),
        (b'{"version": 1, "conversa', "damaged"),
        (b"\xff\xfe", "damaged"),
        (b"[" * 100_000, "damaged"),
        ({"conversations": {}}, "damaged.*version"),
        ({"version": 2, "conversations": {}}, "version: must be 1, got 2"),
        ({"version": 1}, "damaged.*conversations"),
        ({"version": 1, "conversations": {}, "more": 1}, "damaged.*more"),
        ({"version": 1, "conversations": {"a": [{"role": "system", "content": "x"}]}}, "damaged.*system"),
        ({"version": 1, "conversations": {"a": [ANSWER, TURN]}}, r"conversations\['a'\]\[0\].role: .*got assistant"),
        ({"version": 1, "conversations": {"a": [TURN, ANSWER, TURN]}}, r"\['a'\]: its last question has no answer"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_error_and_changes_nothing(
    content: object, says: str, tmp_path: Path
) -> None:
    file = tmp_path / "kept.json"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    conversations = Conversations()
    conversations.add("default", "Hi", "Hello")
    with pytest.raises(ConversationError, match=says) as caught:
        conversations.restore(file)
    assert str(caught.value).startswith(f"{file}: ") and conversations.history() == [TURN, ANSWER]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConversationError, match="absent.json: can't be read: No such file"):
        Conversations().restore(tmp_path / "absent.json")


def test_a_conversation_is_forgotten() -> None:
    conversations = Conversations()
    conversations.add("a", "Hi", "Hello")
    assert conversations.forget("a") and not conversations.forget("a") and conversations.history("a") == []


def test_a_history_that_was_handed_out_changes_nothing() -> None:
    conversations = Conversations()
    conversations.add("default", "Hi", "Hello")
    conversations.history()[0]["content"] = "changed"
    conversations.history().clear()
    assert conversations.history() == [TURN, ANSWER]


@pytest.mark.parametrize(
    ("message", "conversation", "error", "says"),
    [
        (None, "a", TypeError, "message must be a str, got message=None"),
        (b"Hi", "a", TypeError, "message must be a str, got message=b'Hi'"),
        ("a\ud800", "a", ValueError, r"message must be text .* lone surrogate '\\ud800' at 1"),
        ("Hi", None, TypeError, "conversation_id must be a str, got conversation_id=None"),
        ("Hi", ("a",), TypeError, "conversation_id must be a str, got conversation_id="),
        ("Hi", "\ud800", ValueError, r"conversation_id must be text .* lone surrogate '\\ud800' at 0"),
    ],
)
def test_what_could_not_be_saved_is_refused_before_it_is_asked(
    message: Any, conversation: Any, error: type[Exception], says: str, ladder: Ladder, tmp_path: Path
) -> None:
    machine = Machine(ladder)
    machine.load()
    try:
        with pytest.raises(error, match=says):
            machine.manager.respond(message, conversation)
        with pytest.raises(error, match=says):
            asyncio.run(machine.manager.generate_response(message, conversation))
        assert machine.manager.respond("Hi", "a", options=FOUR)
        machine.manager.save(tmp_path / "kept.json")
        machine.manager.restore(tmp_path / "kept.json")
        assert len(machine.manager.history("a")) == 2
    finally:
        machine.manager.shutdown()
