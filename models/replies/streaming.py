"""A reply piece by piece, for `async for`."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import suppress
from typing import Any

from .generation import Reply


class ReplyStream(AsyncIterator[str]):
    """The pieces of a reply, for `async for`. Leaving the loop early, or `aclose`, stops the model at the next token.

    Made by `ModelManager.stream_response`; `write` asks for the reply. Nothing is asked before the first piece is. What
    `generate_response` would raise is raised by the loop. Also an async context manager, which closes it.
    """

    def __init__(self, write: Callable[[Callable[[str], None]], Coroutine[Any, Any, Reply]]) -> None:
        self._ended: list[Reply] = []
        # the generator must not know this object: dropped in mid-loop, it is to be closed at once, not by the collector
        self._pieces = _pieces(write, self._ended.append)

    @property
    def reply(self) -> Reply | None:
        """The whole reply, with who wrote it, once the last piece has come; None before, or where it was left."""
        return self._ended[0] if self._ended else None

    def __aiter__(self) -> "ReplyStream":
        return self

    async def __anext__(self) -> str:
        return await anext(self._pieces)

    async def aclose(self) -> None:
        """End it, if it has not ended. Idempotent.

        What had been written by then is in the history before the next reply begins.
        """
        await self._pieces.aclose()

    async def __aenter__(self) -> "ReplyStream":
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.aclose()


async def _pieces(
    write: Callable[[Callable[[str], None]], Coroutine[Any, Any, Reply]], ended: Callable[[Reply], None]
) -> AsyncGenerator[str, None]:
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[str | None] = asyncio.Queue()

    def put(piece: str) -> None:
        loop.call_soon_threadsafe(pieces.put_nowait, piece)

    reply = loop.create_task(write(put))
    reply.add_done_callback(lambda _: pieces.put_nowait(None))
    try:
        while (piece := await pieces.get()) is not None:
            yield piece
    finally:
        left_early = not reply.done()
        reply.cancel()
        if left_early:
            with suppress(asyncio.CancelledError):
                await reply
    ended(await reply)
