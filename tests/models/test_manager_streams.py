"""Replies piece by piece, and what happens when nobody listens any more. Models are fakes."""

import asyncio
import gc

from gearshift.models import Options

from tests.models.machine import FOUR, Machine


def test_async_replies_and_streams(machine: Machine) -> None:
    machine.load()

    async def talk() -> tuple[str, list[str]]:
        whole = await machine.manager.generate_response("Hi", options=FOUR)
        return whole, [piece async for piece in machine.manager.stream_response("Again", options=FOUR)]

    whole, pieces = asyncio.run(talk())
    assert whole == "".join(pieces) == "word0 word1 word2 word3 "
    assert len(machine.manager.history()) == 4


def test_a_stream_has_the_whole_reply_once_its_last_piece_has_come(machine: Machine) -> None:
    machine.load()

    async def talk() -> None:
        async with machine.manager.stream_response("Hi", options=FOUR) as stream:
            pieces = [piece async for piece in stream if stream.reply is None]
        assert stream.reply is not None
        assert stream.reply == "".join(pieces) == "word0 word1 word2 word3 "
        assert (stream.reply.rung, stream.reply.tokens, stream.reply.prompt_tokens) == ("large", 4, 1)

    asyncio.run(talk())


def test_a_stream_that_is_dropped_in_mid_reply_stops_the_model_at_once(machine: Machine) -> None:
    machine.load()

    async def leave() -> None:
        stream = machine.manager.stream_response("Hi", options=Options(max_new_tokens=10**9))
        async for _ in stream:
            break
        del stream
        assert await machine.manager.generate_response("next", options=FOUR)

    gc.disable()
    try:
        asyncio.run(leave())
    finally:
        gc.enable()


def test_a_stream_that_is_left_stops_the_model(machine: Machine) -> None:
    machine.load()

    async def leave() -> None:
        stream = machine.manager.stream_response("Hi", options=Options(max_new_tokens=10**9))
        async for _ in stream:
            break
        await stream.aclose()

    asyncio.run(leave())
    assert machine.manager.respond("next", options=FOUR)
