"""Conversations live in the app, so every rung can go on with them."""

import threading
from collections.abc import Callable
from typing import Any, TypeAlias

Message: TypeAlias = dict[str, str]


class Conversations:
    """Histories by id. A turn is added whole, once its reply is there."""

    def __init__(self, system: str | None = None) -> None:
        self._system: list[Message] = [{"role": "system", "content": system}] if system else []
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
        with self._lock:
            return list(self._turns.get(conversation, []))


def fitted(messages: list[Message], tokens: Callable[[list[Message]], Any], fits: Callable[[Any], bool]) -> Any:
    """The tokens of as many of the latest turns as fit, with the system prompt. Raises ValueError when none do."""
    system = [m for m in messages if m["role"] == "system"]
    turns = [m for m in messages if m["role"] != "system"]
    while True:
        found = tokens(system + turns)
        if fits(found):
            return found
        if len(turns) <= 1:
            raise ValueError(
                "the message is longer than the rung's context; shorten it or raise `context` in the ladder"
            )
        turns = turns[2:]
