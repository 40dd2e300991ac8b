"""The body of a request, read within limits of size and time, and its JSON."""

import asyncio
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request

from .errors import ApiError, ClientGone

_SECONDS = 30.0
"""In which a body must have come: one that trickles in would hold its connection for as long as it likes."""

_DIGITS = 18  # of a length; Python refuses to read thousands

_DRAINED, _DRAINING = 4, 2.0
"""Of what is too long, times the limit and seconds are read on, so that a client that only sends hears the answer."""


async def json_body(request: Request, limit: int) -> Any:
    """What the JSON of the body holds. Raises ApiError: 400, 408, 413; ClientGone."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ApiError(
            400, f"content-type must be application/json, got {kind!r:.80}; send JSON, and say so in that header",
            code="invalid_content_type",
        )  # fmt: skip
    try:
        async with asyncio.timeout(_SECONDS):
            body = await _read(request, limit)
    except TimeoutError:
        raise ApiError(408, f"the body did not come within {_SECONDS:g} s; send it at once", code="timeout") from None
    except ClientDisconnect:
        raise ClientGone from None
    try:
        return msgspec.json.decode(body)
    except RecursionError:
        reason = "it is nested too deeply"
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        reason = str(error)
    raise ApiError(400, f"the body can't be read as JSON: {reason}; correct it", code="invalid_json")


async def _read(request: Request, limit: int) -> bytes:
    said = request.headers.get("content-length", "")
    pieces: list[bytes] = []
    size = 0
    stream = request.stream()
    if not (said.isdecimal() and (len(said) > _DIGITS or int(said) > limit)):
        async for piece in stream:
            size += len(piece)
            if size > limit:
                break
            pieces.append(piece)
        else:
            return b"".join(pieces)
    elif request.headers.get("expect", "").lower() == "100-continue":
        raise _too_large(limit)
    try:
        async with asyncio.timeout(_DRAINING):
            async for piece in stream:
                size += len(piece)
                if size > _DRAINED * limit:
                    break
    except TimeoutError:
        pass
    raise _too_large(limit)


def _too_large(limit: int) -> ApiError:
    return ApiError(413, f"the body is longer than {limit} bytes; send less of the conversation", code="body_too_large")
