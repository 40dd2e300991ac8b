"""Replies as they end, told to whoever watches over the app."""

import msgspec
from reactivex import Observable, Subject

from ...pipeline.shielding import shielded
from ..failures import ModelError
from .answering import Draft
from .limits import ReplyTimeout
from .queueing import Busy, ShutDown
from .waiting import NoRungFits

_NAMED = (Busy, ModelError, NoRungFits, ReplyTimeout, ShutDown, ValueError)


class Finished(msgspec.Struct, frozen=True):
    """A reply that has ended, without its text.

    rung: which wrote its end, None where none wrote any of it. degraded, end, tokens, seconds, first_seconds: as in
    `Reply`. prompt_tokens: None where nothing was read. error: the class of what it failed with, `_OTHER` for one that
    isn't gearshift's, empty for none; then `end` is empty.
    """

    rung: str | None
    degraded: bool
    end: str
    tokens: int
    seconds: float
    first_seconds: float | None = None
    prompt_tokens: int | None = None
    error: str = ""

    def _repr_html_(self) -> str:
        from ...pipeline.views.html import record_html

        return record_html(self)


class Reports:
    """Tells `replies` of each that has ended. `top` is the name of the best rung."""

    def __init__(self, top: str) -> None:
        self._top = top
        self._told: Subject[Finished] = Subject()
        self.replies: Observable[Finished] = shielded(self._told)

    def tell(self, draft: Draft, raised: BaseException | None) -> None:
        reply = draft.reply(self._top)
        error = "" if raised is None else type(raised).__name__ if isinstance(raised, _NAMED) else "_OTHER"
        self._told.on_next(
            Finished(
                reply.rung, reply.degraded, "" if error else reply.end, reply.tokens, reply.seconds,
                reply.first_seconds, reply.prompt_tokens or None, error,
            )
        )  # fmt: skip
