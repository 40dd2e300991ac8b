"""What a replica sends while it writes its part of a reply."""

from typing import Any, TypeAlias

import msgspec

from ..failures import LoadError, ModelError, OutOfMemory, WorkerLost
from ..replies.generation import Reply
from ..replies.limits import ReplyTimeout
from ..replies.queueing import Busy
from ..replies.waiting import NoRungFits
from ..telling.notices import Notice

SIGN = 1.0
"""Seconds of silence after which a replica gives a sign of life."""


class Begun(msgspec.Struct, frozen=True):
    """It is this replica that writes, on this node."""

    replica: str
    node: str


class On(msgspec.Struct, frozen=True):
    """The pieces that follow are of this rung."""

    rung: str | None


class Written(msgspec.Struct, frozen=True):
    """The reply has ended well. notices: what was noticed there meanwhile."""

    end: str
    tokens: int
    prompt_tokens: int
    rungs: tuple[str, ...]
    notices: tuple[Notice, ...]

    @classmethod
    def of(cls, reply: Reply, notices: tuple[Notice, ...]) -> "Written":
        return cls(reply.end, reply.tokens, reply.prompt_tokens, reply.rungs, notices)


class Refused(msgspec.Struct, frozen=True):
    """The reply has failed there, by an error of this name."""

    error: str
    told: str


Part: TypeAlias = str | Begun | On | Written | Refused | None
"""A str is a piece of text, None a sign of life."""

_ELSEWHERE: dict[str, type[Exception]] = {
    "Busy": Busy, "NoRungFits": NoRungFits, "ModelError": ModelError, "LoadError": LoadError,
    "OutOfMemory": OutOfMemory, "WorkerLost": WorkerLost, "ShutDown": ModelError,
}  # fmt: skip
_HERE: dict[str, type[Exception]] = {"ReplyTimeout": ReplyTimeout, "ValueError": ValueError, "TypeError": TypeError}


def elsewhere(refused: Refused) -> bool:
    """May another replica do better?"""
    return refused.error not in (
        "ReplyTimeout",
        "TypeError",
    )  # a ValueError may be of a context that is too short there


def as_error(refused: Refused, partial: str) -> Exception:
    """What `ModelManager` would have raised, with the text so far as `partial` where that has one."""
    kind = {**_ELSEWHERE, **_HERE}.get(refused.error)
    error: Any = kind(refused.told) if kind else RuntimeError(f"{refused.error}: {refused.told}")
    if hasattr(error, "partial"):
        error.partial = partial
    return error
