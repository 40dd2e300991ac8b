"""A reply piece by piece, for `async for`."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from types import AsyncGeneratorType
from typing import Any, cast

from .generation import Reply


class ReplyStream(AsyncIterator[str]):
    """The pieces of a reply, for `async for`. Leaving the loop early, or `aclose`, stops the model at the next token.

    Made by `ModelManager.stream_response`; `write` asks for the reply, `rung` says who writes now. Nothing is asked
    before the first piece is. What `generate_response` would raise is raised by the loop. Also an async context
    manager, which closes it.
    """

    def __init__(
        self,
        write: Callable[[Callable[[str], None]], Coroutine[Any, Any, Reply]],
        rung: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._rung = rung
        self._asked: list[asyncio.Task[Reply]] = []
        self._ended: list[Reply] = []
        # the generator must not know this object: dropped in mid-loop, it is to be closed at once, not by the collector
        pieces = _pieces(write, self._asked.append, self._ended.append)
        self._pieces = cast("AsyncGeneratorType[str, None]", pieces)

    @property
    def reply(self) -> Reply | None:
        """The whole reply, with who wrote it, once the last piece has come; None before, or where it was left."""
        return self._ended[0] if self._ended else None

    @property
    def rung(self) -> str | None:
        """The name of the rung that writes it now."""
        return self._rung()

    def __aiter__(self) -> "ReplyStream":
        return self

    async def __anext__(self) -> str:
        return await anext(self._pieces)

    async def aclose(self) -> None:
        """End it, if it has not ended; what had been written by then is kept before this returns. Idempotent.

        From any task: a loop that waits for a piece in another one ends.
        """
        if self._pieces.ag_running:
            await _called_off(self._asked[0])
        else:
            await self._pieces.aclose()

    async def __aenter__(self) -> "ReplyStream":
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.aclose()


async def _pieces(
    write: Callable[[Callable[[str], None]], Coroutine[Any, Any, Reply]],
    asked: Callable[[asyncio.Task[Reply]], None],
    ended: Callable[[Reply], None],
) -> AsyncGenerator[str, None]:
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[str | None] = asyncio.Queue()

    def put(piece: str) -> None:
        loop.call_soon_threadsafe(pieces.put_nowait, piece)

    reply = loop.create_task(write(put))
    asked(reply)

    def end(ended: asyncio.Task[Reply]) -> None:
        if not ended.cancelled():
            ended.exception()  # where the stream was left, nobody asks for it, and asyncio would tell of an oversight
        pieces.put_nowait(None)

    reply.add_done_callback(end)
    try:
        while (piece := await pieces.get()) is not None:
            yield piece
    finally:
        if not reply.done():
            await _called_off(reply)
    if not reply.cancelled():  # else it was closed while a piece was waited for
        ended(await reply)


async def _called_off(reply: asyncio.Task[Reply]) -> None:
    """Until it has ended. A second cancel would keep it from waiting for what is written."""
    if not reply.cancelling():
        reply.cancel()
    await asyncio.wait({reply})
