"""What can't be answered, in the shape in which OpenAI's clients expect to be told."""

from collections.abc import Mapping
from typing import Any

from ..failures import ModelError
from ..replies.limits import ReplyTimeout
from ..replies.queueing import Busy, ShutDown
from ..replies.waiting import NoRungFits

_TYPES = {401: "authentication_error", 429: "rate_limit_error"}
_BUSY, _SHORT = 2, 10
"""Seconds after which to ask again: a reply may have ended, or memory been given back, by then."""


class ApiError(Exception):
    """An answer with a status above 399.

    param: the field of the request that is at fault. code: for programs. partial: what there was of the reply.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
        partial: str = "",
    ) -> None:
        super().__init__(message)
        self.status, self.param, self.code, self.partial = status, param, code, partial
        self.headers = dict(headers or {})

    @property
    def body(self) -> dict[str, Any]:
        """As OpenAI says it; `partial` is ours, and only there where a reply had begun.

        >>> ApiError(400, "n=2 can't be used", param="n").body["error"]["type"]
        'invalid_request_error'
        """
        kind = _TYPES.get(self.status, "invalid_request_error" if self.status < 500 else "server_error")
        told: dict[str, Any] = {"message": str(self), "type": kind, "param": self.param, "code": self.code}
        return {"error": {**told, "partial": self.partial} if self.partial else told}


class ClientGone(Exception):
    """The client has closed its connection; nobody is there to be answered."""


def as_api_error(error: Exception) -> ApiError | None:
    """What the manager raised, for a client. None for what no app should see as an answer: a mistake of ours."""
    partial = getattr(error, "partial", "")
    match error:
        case ApiError():
            return error
        case Busy():
            return ApiError(429, str(error), code="busy", headers={"retry-after": str(_BUSY)})
        case NoRungFits():
            later = {"retry-after": str(_SHORT)}
            return ApiError(503, str(error), code="no_rung_fits", headers=later, partial=partial)
        case ShutDown():
            return ApiError(
                503, "the server is shutting down; ask again once it runs again", code="shut_down",
                headers={"retry-after": str(_SHORT)}, partial=partial,
            )  # fmt: skip
        case ReplyTimeout():  # asked for again, it would take as long again
            return ApiError(504, str(error), code="timeout", headers={"x-should-retry": "false"}, partial=partial)
        case ModelError():
            return ApiError(500, str(error), code="model_error", partial=partial)
        case ValueError() | TypeError():
            return ApiError(400, str(error), code="invalid_value")
        case _:
            return None
