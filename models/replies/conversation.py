"""Conversations live in the app, so every rung can go on with them."""

import threading
from bisect import bisect_left
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from .saved_conversations import read, write

Message: TypeAlias = dict[str, str]


def checked_text(name: str, value: str) -> str:
    """The value, if every tokenizer and every file can take it. Raises TypeError or ValueError that names it."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, got {name}={value!r:.200}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        place = f"{value[error.start]!r} at {error.start}"
        raise ValueError(
            f"{name} must be text that UTF-8 has a form for, got the lone surrogate {place}; "
            "decode it with errors='replace'"
        ) from None
    return value


class Conversations:
    """Histories by id. A turn, a question with its answer, is added whole, once its reply has ended. Thread-safe."""

    def __init__(self, system: str | None = None) -> None:
        self._system: list[Message] = [{"role": "system", "content": checked_text("system", system)}] if system else []
        self._turns: dict[str, list[Message]] = {}
        self._lock = threading.Lock()

    def with_question(self, conversation: str, question: str) -> list[Message]:
        with self._lock:
            return [*self._system, *self._turns.get(conversation, []), {"role": "user", "content": question}]

    def add(self, conversation: str, question: str, answer: str) -> None:
        with self._lock:
            self._turns.setdefault(conversation, []).extend(
                ({"role": "user", "content": question}, {"role": "assistant", "content": answer})
            )

    def history(self, conversation: str = "default") -> list[Message]:
        """The turns so far, without the system prompt; a copy."""
        with self._lock:
            return [dict(message) for message in self._turns.get(conversation, [])]

    def forget(self, conversation: str) -> bool:
        """Drop a conversation. Was there one?"""
        with self._lock:
            return self._turns.pop(conversation, None) is not None

    def save(self, path: str | Path) -> None:
        """Write all histories to a JSON file, whole or not at all. Raises OSError."""
        with self._lock:
            turns = {conversation: list(messages) for conversation, messages in self._turns.items()}
        write(path, turns)

    def restore(self, path: str | Path) -> None:
        """Put the histories of a file in place of all there are. Raises ConversationError, and then changes nothing."""
        self.put(read(path))

    def put(self, turns: Mapping[str, list[Message]]) -> None:
        with self._lock:
            self._turns = {conversation: list(messages) for conversation, messages in turns.items()}


def naming(messages: list[Message], sentence: str) -> list[Message]:
    """The same, with a sentence added to the system prompt, or as the system prompt where there is none.

    >>> naming([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}], "You are small.")[0]
    {'role': 'system', 'content': 'Be brief. You are small.'}
    """
    if messages and messages[0]["role"] == "system":
        return [{"role": "system", "content": f"{messages[0]['content']} {sentence}"}, *messages[1:]]
    return [{"role": "system", "content": sentence}, *messages]


def fitted(messages: list[Message], tokens: Callable[[list[Message]], Any], fits: Callable[[Any], bool]) -> Any:
    """The tokens of as many of the latest turns as fit, with the system prompt. Raises ValueError when none do.

    Whole turns go, the oldest first. How many is found by halving, so a long history is not rendered once a turn.
    """
    system = [m for m in messages if m["role"] == "system"]
    turns = [m for m in messages if m["role"] != "system"]
    found = tokens(system + turns)
    if fits(found):
        return found
    most = (len(turns) - 1) // 2  # turns before the newest question
    drop = bisect_left(range(1, most + 1), True, key=lambda n: fits(tokens(system + turns[2 * n :]))) + 1
    if drop > most:
        raise ValueError("the message is longer than the rung's context; shorten it or raise `context` in the ladder")
    return tokens(system + turns[2 * drop :])
