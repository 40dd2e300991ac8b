"""Conversations as a JSON file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from ...pipeline.reading import KEPT, RefusedError, read_whole
from ...pipeline.replacing import replace_file

VERSION = 1


class ConversationError(RefusedError):
    """A file that holds no conversations that can be used: names the file, the place and the remedy."""


class _Turn(msgspec.Struct, forbid_unknown_fields=True):
    role: Literal["user", "assistant"]
    content: str


class _Head(msgspec.Struct):
    version: int


class _File(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    conversations: dict[str, list[_Turn]]


def write(path: str | Path, turns: Mapping[str, list[dict[str, str]]]) -> None:
    """Replace the file at once, so that a crash leaves the old one or the new one. Private. Raises OSError."""
    file = Path(path)
    content = msgspec.json.format(msgspec.json.encode({"version": VERSION, "conversations": turns}))
    replace_file(file, content + b"\n", private=True, lasting=True)


def read(path: str | Path) -> dict[str, list[dict[str, str]]]:
    """Chat messages by conversation. Raises ConversationError."""
    file = Path(path)
    remedy = "give a file that `save` wrote"
    try:
        content = read_whole(file, KEPT)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConversationError(f"{file}: can't be read: {why}; {remedy}") from None
    try:
        version = msgspec.json.decode(content, type=_Head).version
        if version != VERSION:
            raise ConversationError(
                f"{file}: version: must be {VERSION}, got {version}; use the gearshift that saved it"
            )
        found = msgspec.json.decode(content, type=_File).conversations
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ConversationError(f"{file}: damaged: {error}; {remedy}") from None
    for conversation, turns in found.items():
        for i, turn in enumerate(turns):
            if turn.role != ("user", "assistant")[i % 2]:
                where = f"conversations[{conversation!r}][{i}].role"
                raise ConversationError(
                    f"{file}: {where}: user and assistant must alternate, got {turn.role}; {remedy}"
                )
        if len(turns) % 2:
            raise ConversationError(
                f"{file}: conversations[{conversation!r}]: its last question has no answer; {remedy}"
            )
    return {conversation: msgspec.to_builtins(turns) for conversation, turns in found.items()}
