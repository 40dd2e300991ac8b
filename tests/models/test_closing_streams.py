"""A stream that is closed: whoever closes it and whenever, the model stops, and nothing that was written is lost."""

import asyncio
import gc
import threading
from collections.abc import Iterator

import pytest
from gearshift.models import Ladder, Options
from gearshift.models.testing import FakeModels

from tests.models.machine import FOUR, Machine

ENDLESS = Options(max_new_tokens=10**9)


class Gate:
    """The first word comes at once, and each further one when it is opened."""

    def __init__(self) -> None:
        self.opened, self._words = threading.Event(), 0

    def __call__(self) -> None:
        self._words += 1
        assert self._words == 1 or self.opened.wait(60)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def machine(ladder: Ladder, gate: Gate) -> Iterator[Machine]:
    made = Machine(ladder, FakeModels(gate=gate))
    with made.manager:
        made.load()
        yield made
        gate.opened.set()


def test_what_had_been_written_is_in_the_history_when_it_is_closed(machine: Machine, gate: Gate) -> None:
    async def leave() -> None:
        stream = machine.manager.stream_response("Hi", options=ENDLESS)
        await anext(stream)
        closing = asyncio.ensure_future(stream.aclose())
        await asyncio.wait({closing}, timeout=0.1)  # the model is in the middle of a word
        assert not closing.done()
        gate.opened.set()
        await closing
        asked, answered = machine.manager.history()
        assert (asked["content"], answered["content"].split()[0]) == ("Hi", "word0")

    asyncio.run(leave())


def test_one_that_is_read_in_one_task_can_be_closed_in_another(machine: Machine, gate: Gate) -> None:
    async def leave() -> None:
        stream = machine.manager.stream_response("Hi", options=ENDLESS)
        seen: list[str] = []

        async def read() -> None:
            async for piece in stream:
                seen.append(piece)  # noqa: PERF401 - what came before it was closed counts, too

        reading = asyncio.ensure_future(read())
        while not seen:
            await asyncio.wait({reading}, timeout=0.01)
        gate.opened.set()
        await stream.aclose()
        await asyncio.wait_for(reading, 60)
        assert stream.reply is None
        assert machine.manager.history()[1]["content"] == "".join(seen)
        assert await machine.manager.generate_response("next", options=FOUR)

    asyncio.run(leave())


def test_one_that_waits_for_its_turn_can_be_closed_in_another_task(machine: Machine, gate: Gate) -> None:
    async def leave() -> None:
        async with machine.manager.stream_response("Hi", options=ENDLESS) as first:
            await anext(first)
            second = machine.manager.stream_response("Me too", options=ENDLESS)
            reading = asyncio.ensure_future(anext(second, "the end"))
            await asyncio.wait({reading}, timeout=0.1)
            await second.aclose()
            assert await asyncio.wait_for(reading, 60) == "the end"
            gate.opened.set()
        assert [each["content"] for each in machine.manager.history()][::2] == ["Hi"]

    asyncio.run(leave())


def test_it_can_be_closed_twice_at_once(machine: Machine, gate: Gate) -> None:
    async def leave() -> None:
        stream = machine.manager.stream_response("Hi", options=ENDLESS)
        await anext(stream)
        gate.opened.set()
        await asyncio.gather(stream.aclose(), stream.aclose())
        await stream.aclose()
        assert [piece async for piece in stream] == []

    asyncio.run(leave())


def test_one_that_is_left_after_its_reply_has_failed_is_no_oversight_to_asyncio(machine: Machine, gate: Gate) -> None:
    told: list[object] = []

    async def leave() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        stream = machine.manager.stream_response("Hi", options=ENDLESS)
        await anext(stream)
        ending = asyncio.create_task(asyncio.to_thread(machine.manager.shutdown))
        await asyncio.wait({ending}, timeout=0.1)
        gate.opened.set()
        await ending
        (reply,) = stream._asked
        await asyncio.wait({reply})
        await stream.aclose()
        del stream, reply
        gc.collect()

    asyncio.run(leave())
    assert told == []
