"""Signs of life between the pieces of a reply."""

import asyncio
from collections.abc import AsyncGenerator

from .streaming import ReplyStream


async def pulsed(stream: ReplyStream, quiet: float) -> AsyncGenerator[str | None, None]:
    """The pieces of a reply, and None after each `quiet` seconds without one. Closing it stops the model."""
    coming: asyncio.Task[str | None] | None = None
    try:
        while True:
            coming = asyncio.create_task(_next(stream))
            while not (await asyncio.wait({coming}, timeout=quiet))[0]:
                yield None
            piece = coming.result()
            if piece is None:
                return
            yield piece
    finally:
        if coming is not None and not coming.done():
            coming.cancel()
            await asyncio.wait({coming})
        await stream.aclose()


async def _next(stream: ReplyStream) -> str | None:
    return await anext(stream, None)
