"""Replies come in turn: who waits in the queue can leave it, by threads and by tasks. Models are fakes."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from gearshift.models import Busy, Ladder, Options, Reply

from tests.models.answering import WAIT, Asked, Gate, leases, until, waiting, words
from tests.models.machine import FOUR, Machine


def test_replies_are_written_one_at_a_time_in_the_order_in_which_they_were_asked_for(
    held: tuple[Machine, Gate],
) -> None:
    machine, gate = held
    began: list[str] = []
    first = Asked(machine, "first")
    assert gate.reached.wait(WAIT)
    second = Asked(machine, "second", "b", on_text=lambda _: began.append("second"))
    until(lambda: waiting(machine) == 1)
    third = Asked(machine, "third", on_text=lambda _: began.append("third"))
    until(lambda: waiting(machine) == 2)
    assert began == []
    gate.open.set()
    assert [each.result() for each in (first, second, third)] == [words(4)] * 3
    assert began == ["second"] * 4 + ["third"] * 4
    assert [m["content"] for m in machine.manager.history() if m["role"] == "user"] == ["first", "third"]
    third_asked, _ = machine.loader.loaded[0].asked[-1]
    assert [m["content"] for m in third_asked if m["role"] != "system"] == ["first", words(4), "third"]


def test_one_more_than_may_wait_is_told_so_at_once(held: tuple[Machine, Gate]) -> None:
    machine, gate = held
    asked = [Asked(machine)]
    assert gate.reached.wait(WAIT)
    asked += [Asked(machine), Asked(machine)]
    until(lambda: waiting(machine) == 2)
    with pytest.raises(Busy, match=r"2 replies wait.*ask again when one has ended.*longer `queue` than 2"):
        machine.manager.respond("Hi")
    with pytest.raises(Busy):
        asyncio.run(machine.manager.generate_response("Hi"))
    gate.open.set()
    assert [each.result() for each in asked] == [words(4)] * 3
    assert machine.manager.respond("Hi", options=FOUR)


@pytest.mark.parametrize("queue", [-1, 1.5])
def test_a_queue_of_no_whole_number_is_named(ladder: Ladder, queue: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="queue"):
        Machine(ladder, more={"queue": queue})


def test_a_thread_that_is_cancelled_in_the_queue_leaves_it_with_an_empty_reply(held: tuple[Machine, Gate]) -> None:
    machine, gate = held
    first, cancelled = Asked(machine), threading.Event()
    assert gate.reached.wait(WAIT)
    second = Asked(machine, "second", cancelled=cancelled)
    until(lambda: waiting(machine) == 1)
    cancelled.set()
    reply = second.result()
    assert reply == "" and isinstance(reply, Reply) and (reply.end, reply.cut, reply.rung) == ("cancelled", True, None)
    assert waiting(machine) == 0
    gate.open.set()
    assert first.result() == words(4)
    assert [m["content"] for m in machine.manager.history()] == ["Hi", words(4)]


def test_a_thread_that_is_cancelled_while_it_waits_for_a_rung_gets_an_empty_reply(ladder: Ladder) -> None:
    machine, cancelled = Machine(ladder), threading.Event()
    asked = Asked(machine, cancelled=cancelled)
    until(lambda: machine.manager._turns._writing is not None)
    cancelled.set()
    reply = asked.result()
    assert reply == "" and isinstance(reply, Reply) and reply.end == "cancelled"
    machine.manager.shutdown()


def test_a_thread_that_is_cancelled_while_it_writes_gets_and_keeps_what_there_is(held: tuple[Machine, Gate]) -> None:
    machine, gate = held
    cancelled, braked = threading.Event(), threading.Event()
    asked = Asked(machine, cancelled=cancelled)
    assert gate.reached.wait(WAIT)
    (lease,) = leases(machine)
    lease.brake.watch(lambda _: braked.set())
    cancelled.set()
    assert braked.wait(WAIT)  # although no word comes meanwhile
    gate.open.set()
    reply = asked.result()
    assert reply == words(2) and isinstance(reply, Reply)
    assert (reply.end, reply.rungs, reply.tokens) == ("cancelled", ("large",), 2)
    assert [m["content"] for m in machine.manager.history()] == ["Hi", words(2)]


async def later(holds: Callable[[], bool]) -> None:
    for _ in range(WAIT * 100):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about")


def test_coroutines_wait_for_their_turn_without_a_thread_and_leave_the_loop_free(held: tuple[Machine, Gate]) -> None:
    machine, gate = held

    async def talk() -> list[Reply]:
        tasks = [asyncio.create_task(machine.manager.generate_response(str(i), options=FOUR)) for i in range(3)]
        await later(gate.reached.is_set)
        await later(lambda: waiting(machine) == 2)
        assert len([t for t in threading.enumerate() if t.name == "gearshift-reply"]) == 1
        gate.open.set()
        return await asyncio.gather(*tasks)

    assert asyncio.run(talk()) == [words(4)] * 3
    assert [m["content"] for m in machine.manager.history() if m["role"] == "user"] == ["0", "1", "2"]


def test_a_task_that_is_cancelled_in_the_queue_leaves_it(held: tuple[Machine, Gate]) -> None:
    machine, gate = held

    async def talk() -> None:
        first = asyncio.create_task(machine.manager.generate_response("first", options=FOUR))
        await later(gate.reached.is_set)
        second = asyncio.create_task(machine.manager.generate_response("second", options=FOUR))
        await later(lambda: waiting(machine) == 1)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        assert waiting(machine) == 0
        gate.open.set()
        assert await first == words(4)

    asyncio.run(talk())


def test_a_task_that_is_cancelled_while_it_writes_ends_at_once_and_its_words_are_kept(
    held: tuple[Machine, Gate],
) -> None:
    machine, gate = held

    async def talk() -> None:
        task = asyncio.create_task(machine.manager.generate_response("first", options=FOUR))
        await later(gate.reached.is_set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task  # while the model is held
        gate.open.set()
        assert await machine.manager.generate_response("second", options=FOUR) == words(4)

    asyncio.run(talk())
    said = [m["content"] for m in machine.manager.history()]
    assert said[0] == "first" and words(4).startswith(said[1]) and said[1] and said[2:] == ["second", words(4)]


def test_a_loop_that_ends_in_the_middle_of_a_stream_leaves_no_thread_and_no_turn(held: tuple[Machine, Gate]) -> None:
    machine, gate = held
    streams: list[Any] = []

    async def leave() -> None:
        stream = machine.manager.stream_response("first", options=Options(max_new_tokens=10**9))
        streams.append(stream)
        assert await anext(stream) == "word0 "

    loop = asyncio.new_event_loop()
    loop.run_until_complete(leave())
    loop.close()  # with the stream still open
    gate.open.set()
    assert Asked(machine, "next", "b").result() == words(4)
    until(lambda: not [t for t in threading.enumerate() if t.name in ("gearshift-reply", "gearshift-minder")])
