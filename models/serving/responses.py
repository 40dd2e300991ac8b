"""A reply as OpenAI's chat completions are told: whole, or in chunks."""

import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ..replies.generation import Reply
from .requests import MODEL

_FINISHED = {"length": "length", "context": "length"}
DONE = b"data: [DONE]\n\n"
PING = b": ping\n\n"


class Completion:
    """One answer. `gearshift` in it says who wrote it and how it ended, where OpenAI's fields have no word for that."""

    def __init__(self) -> None:
        self._head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": MODEL}

    def whole(self, reply: Reply, notices: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        message = {"role": "assistant", "content": str(reply), "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason(reply)}
        return {
            **self._head, "object": "chat.completion", "choices": [choice], "usage": usage(reply),
            "system_fingerprint": fingerprint(reply), "gearshift": metadata(reply, notices),
        }  # fmt: skip

    def chunk(self, delta: Mapping[str, Any], *, finish: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return self._event(choices=[choice], **more)

    def last(self, reply: Reply, notices: Sequence[Mapping[str, Any]], **more: Any) -> bytes:
        told = {"system_fingerprint": fingerprint(reply), "gearshift": metadata(reply, notices), **more}
        return self.chunk({}, finish=finish_reason(reply), **told)

    def used(self, reply: Reply) -> bytes:
        return self._event(choices=[], usage=usage(reply))

    def _event(self, **fields: Any) -> bytes:
        return event({**self._head, "object": "chat.completion.chunk", **fields})


def event(data: Mapping[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(data) + b"\n\n"


def finish_reason(reply: Reply) -> str:
    """`stop` too where a shift brought it to the end of a sentence: to go on is for a question, not a longer limit."""
    return _FINISHED.get(reply.end, "stop")


def fingerprint(reply: Reply) -> str | None:
    """The rungs that wrote it, as the same request may get another answer from others."""
    return "+".join(reply.rungs) or None


def usage(reply: Reply) -> dict[str, int]:
    return {
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.tokens,
        "total_tokens": reply.prompt_tokens + reply.tokens,
    }


def metadata(reply: Reply, notices: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """As in `Reply`; notices: what the user should know of what has changed since the last reply."""
    return {
        "rungs": list(reply.rungs), "degraded": reply.degraded, "end": reply.end, "seconds": round(reply.seconds, 3),
        "first_seconds": None if reply.first_seconds is None else round(reply.first_seconds, 3),
        "notices": list(notices),
    }  # fmt: skip
