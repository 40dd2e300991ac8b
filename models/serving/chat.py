"""POST /v1/chat/completions: from the request to the reply of the manager, and back."""

import logging
from collections.abc import AsyncGenerator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..replies.generation import Reply
from ..replies.pulse import pulsed
from ..replies.streaming import ReplyStream
from .assistant import Assistant
from .bodies import json_body
from .errors import ApiError, ClientGone, as_api_error
from .news import News
from .requests import ChatRequest, chat_request, messages_of, options_of
from .responses import DONE, PING, Completion, event
from .streaming import EventStream, until_gone

log = logging.getLogger("gearshift.serving")


class Chat:
    """Answers requests. The parameters are those of `create_app`."""

    def __init__(
        self, manager: Assistant, *, body_limit: int, max_tokens: int, timeout: float | None, keep_alive: float
    ) -> None:
        self._manager, self._news = manager, News(manager.notices)
        self._body_limit, self._max_tokens, self._timeout = body_limit, max_tokens, timeout
        self._keep_alive = keep_alive

    async def answer(self, request: Request) -> Response:
        """Raises ApiError, and ClientGone."""
        asked = chat_request(await json_body(request, self._body_limit))
        given: dict[str, Any] = {"options": options_of(asked, self._max_tokens), "timeout": self._timeout}
        messages = messages_of(asked)
        try:
            if asked.stream:
                return await self._stream(request, asked, self._manager.stream_response(messages, **given))
            reply = await until_gone(request.receive, self._manager.generate_response(messages, **given))
        except ClientGone:
            raise
        except Exception as error:  # noqa: BLE001 - what is none of the manager's is raised again
            problem = as_api_error(error)
            if problem is None:
                raise
            raise problem from error
        _tell(request, reply)
        headers = {"x-gearshift-rung": reply.rung or "", "x-gearshift-degraded": str(reply.degraded).lower()}
        return JSONResponse(Completion().whole(reply, self._news.take()), headers=headers)

    async def _stream(self, request: Request, asked: ChatRequest, stream: ReplyStream) -> Response:
        """Waits for the first piece, so that what prevents it has a status of its own, but not beyond keep_alive."""
        pieces = pulsed(stream, self._keep_alive)
        first = await until_gone(request.receive, _first(pieces))
        rung = stream.rung if first else None
        headers = {"x-gearshift-rung": rung} if rung else {}
        return EventStream(self._events(request, asked, stream, pieces, first), pieces, headers)

    async def _events(
        self,
        request: Request,
        asked: ChatRequest,
        stream: ReplyStream,
        pieces: AsyncGenerator[str | None, None],
        first: str | None,
    ) -> AsyncGenerator[bytes, None]:
        completion = Completion()
        more = {"usage": None} if asked.include_usage else {}
        yield completion.chunk({"role": "assistant", "content": ""}, **more)
        request.state.told = "left by its client"
        try:
            if first:
                yield completion.chunk({"content": first}, **more)
            async for piece in pieces:
                if piece is None:
                    yield PING
                elif piece:
                    yield completion.chunk({"content": piece}, **more)
        except Exception as error:  # noqa: BLE001 - the status has been sent; this is the only place left to tell it
            problem = as_api_error(error)
            if problem is None:
                log.exception("a stream ended by a mistake of the server's")
                problem = ApiError(500, "the server made a mistake; its log has more", code="internal_error")
            request.state.told = f"{problem.code} in mid-stream"
            yield event(problem.body)
        else:
            reply = stream.reply
            assert reply is not None
            _tell(request, reply)
            yield completion.last(reply, self._news.take(), **more)
            if asked.include_usage:
                yield completion.used(reply)
        yield DONE


async def _first(pieces: AsyncGenerator[str | None, None]) -> str | None:
    """Nothing, as None or "", where it waits for long or ends at once."""
    return await anext(pieces, "")


def _tell(request: Request, reply: Reply) -> None:
    """For the log: no word of what was asked and answered."""
    request.state.told = f"{'+'.join(reply.rungs)}, {reply.tokens} tokens, {reply.end}"
