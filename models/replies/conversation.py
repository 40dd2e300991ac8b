"""Conversations live in the app, so every rung can go on with them."""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from .saved_conversations import read, write

Message: TypeAlias = dict[str, str]
Asked: TypeAlias = str | list[Message]
"""A question in a conversation that is kept, or a whole conversation of the app's own keeping."""

DEFAULT = "default"
"""The conversation of a question that names none."""

_FEW = 16  # turns, which often fit
_ROLES = ("system", "user", "assistant")


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


def checked_question(message: str | Sequence[Mapping[str, str]], conversation: str) -> Asked:
    """A copy of what is asked, before anything is asked of a rung. Raises TypeError or ValueError that names it.

    What no file can hold would keep all conversations from being saved.
    """
    checked_text("conversation_id", conversation)
    if isinstance(message, (str, bytes)) or not isinstance(message, Sequence):
        return checked_text("message", message)
    if conversation != DEFAULT:
        raise ValueError(
            f"a list of messages is a whole conversation that the app keeps, got conversation_id={conversation!r} with "
            "it; leave that out, or give the last message alone as a str"
        )
    if not message:
        raise ValueError("message must hold at least the user's question, got an empty list")
    for at, each in enumerate(message):
        if not isinstance(each, Mapping) or not {"role", "content"} <= set(each):
            raise TypeError(f"message[{at}] must be a dict with 'role' and 'content', got {each!r:.200}")
        if each["role"] not in _ROLES:
            raise ValueError(f"message[{at}] must have a role of {', '.join(_ROLES)}, got role={each['role']!r:.80}")
        checked_text(f"message[{at}]['content']", each["content"])
    if message[-1]["role"] != "user":
        raise ValueError(
            f"the last message must be the user's, got role={message[-1]['role']!r}; it is what is answered"
        )
    return [{"role": each["role"], "content": each["content"]} for each in message]


class Conversations:
    """Histories by id. A turn, a question with its answer, is added whole, once its reply has ended. Thread-safe."""

    def __init__(self, system: str | None = None) -> None:
        self._system: list[Message] = [{"role": "system", "content": checked_text("system", system)}] if system else []
        self._turns: dict[str, list[Message]] = {}
        self._lock = threading.Lock()

    def with_question(self, conversation: str, question: Asked) -> list[Message]:
        """All that a model is to read. A whole conversation gets the system prompt where it has none of its own."""
        if isinstance(question, list):
            own = any(message["role"] == "system" for message in question)
            return question if own else [*self._system, *question]
        with self._lock:
            return [*self._system, *self._turns.get(conversation, []), {"role": "user", "content": question}]

    def add(self, conversation: str, question: Asked, answer: str) -> None:
        """Keep a turn. A whole conversation is kept by whoever gave it."""
        if isinstance(question, list):
            return
        with self._lock:
            self._turns.setdefault(conversation, []).extend(
                ({"role": "user", "content": question}, {"role": "assistant", "content": answer})
            )

    def history(self, conversation: str = DEFAULT) -> list[Message]:
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

    Whole turns go, the oldest first: a question with all that follows it up to the next one. How many stay is found
    from the latest on, by doubling and then halving: what a reply costs must not grow with how long ago a talk began.
    """
    system = [m for m in messages if m["role"] == "system"]
    turns = [m for m in messages if m["role"] != "system"]
    begins = [0, *(at for at, message in enumerate(turns) if message["role"] == "user" and at > 0)]
    found, low, high, step = None, 0, len(begins), _FEW  # from `high` on they fit, before `low` too many would stay
    while low < high:
        at = max(low, high - step) if step else (low + high) // 2
        some = tokens(system + turns[begins[at] :])
        if fits(some):
            found, high, step = some, at, 2 * step
        else:
            low, step = at + 1, 0
    if found is None:
        raise ValueError("the message is longer than the rung's context; shorten it or raise `context` in the ladder")
    return found
