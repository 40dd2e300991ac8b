"""Replies within their timeouts, and what ends with the manager. Models are fakes."""

import asyncio
import threading

import pytest
from gearshift.models import Ladder, ReplyTimeout, ShutDown
from gearshift.models.testing import FakeModels

from tests.models.answering import WAIT, Asked, Gate, leases, until, waiting, words
from tests.models.machine import FOUR, Machine


@pytest.mark.parametrize("timeout", [0.05, 0.3])
def test_a_timeout_while_writing_has_and_keeps_the_words_so_far(held: tuple[Machine, Gate], timeout: float) -> None:
    machine, gate = held
    asked = Asked(machine, timeout=timeout)
    assert gate.reached.wait(WAIT)
    (lease,) = leases(machine)
    until(lambda: lease.brake.stopped)
    gate.open.set()
    error = asked.result()
    assert isinstance(error, ReplyTimeout) and isinstance(error, TimeoutError)
    assert error.partial == words(2) and f"timeout of {timeout:g} s" in str(error)
    assert [m["content"] for m in machine.manager.history()] == ["Hi", words(2)]


def test_a_timeout_in_the_queue_or_before_a_rung_is_there(held: tuple[Machine, Gate], ladder: Ladder) -> None:
    machine, gate = held
    first = Asked(machine)
    assert gate.reached.wait(WAIT)
    with pytest.raises(ReplyTimeout):
        machine.manager.respond("Hi", timeout=0.01)
    with pytest.raises(ReplyTimeout) as caught:
        asyncio.run(machine.manager.generate_response("Hi", timeout=0.01))
    assert caught.value.partial == "" and waiting(machine) == 0
    gate.open.set()
    assert first.result() == words(4)
    empty = Machine(ladder)
    with pytest.raises(ReplyTimeout):
        empty.manager.respond("Hi", timeout=0.01)
    empty.manager.shutdown()


@pytest.mark.parametrize("timeout", [0, -1.0, float("nan"), float("inf")])
def test_a_timeout_that_is_none_is_named(held: tuple[Machine, Gate], timeout: float) -> None:
    with pytest.raises(ValueError, match=f"timeout={timeout!r}"):
        held[0].manager.respond("Hi", timeout=timeout)


def test_a_stream_times_out_too(held: tuple[Machine, Gate]) -> None:
    machine, gate = held

    async def talk() -> list[str]:
        pieces = []
        async for piece in machine.manager.stream_response("Hi", options=FOUR, timeout=0.2):
            pieces.append(piece)
            if len(pieces) == 1:
                (lease,) = leases(machine)
                lease.brake.watch(lambda _: gate.open.set())
        return pieces

    with pytest.raises(ReplyTimeout) as caught:
        asyncio.run(talk())
    assert caught.value.partial == words(2)


def test_shutdown_in_the_middle_ends_replies_where_they_are_and_those_that_wait(ladder: Ladder) -> None:
    before = set(threading.enumerate())
    gate = Gate(at=1)
    machine = Machine(ladder, FakeModels(gate=gate))
    machine.load()
    writing = Asked(machine)
    assert gate.reached.wait(WAIT)
    queued = Asked(machine)
    until(lambda: waiting(machine) == 1)
    ending = [threading.Thread(target=machine.manager.shutdown) for _ in range(3)]
    for thread in ending:
        thread.start()
    assert isinstance(queued.result(), ShutDown)
    (lease,) = leases(machine)
    until(lambda: lease.brake.stopped)
    gate.open.set()
    error = writing.result()
    assert isinstance(error, ShutDown) and error.partial == words(2)
    for thread in ending:
        thread.join(WAIT)
    assert set(threading.enumerate()) - before == set() and machine.loader.loaded[0].closed
    with pytest.raises(ShutDown, match="make a new ModelManager"):
        asyncio.run(machine.manager.generate_response("Hi"))


def test_shutdown_from_inside_a_reply_or_a_subscriber_returns_and_the_rest_follows(ladder: Ladder) -> None:
    for where in ("on_text", "outcome", "decision"):
        before = set(threading.enumerate())
        machine = Machine(ladder)
        if where == "outcome":
            machine.manager.outcomes.subscribe(lambda _, m=machine: m.manager.shutdown())
        if where == "decision":
            machine.manager.decisions.subscribe(lambda _, m=machine: m.manager.shutdown())
        machine.push(0)
        if where == "on_text":
            machine.until(lambda m=machine: m.outcomes != [])
            with pytest.raises(ShutDown) as caught:
                machine.manager.respond("Hi", options=FOUR, on_text=lambda _, m=machine: m.manager.shutdown())
            assert caught.value.partial.startswith("word0 ")
        until(lambda b=before: set(threading.enumerate()) - b == set())
        machine.manager.shutdown()


def test_a_manager_ends_with_its_async_block(ladder: Ladder) -> None:
    before = set(threading.enumerate())

    async def talk() -> Machine:
        machine = Machine(ladder)
        async with machine.manager as manager:
            machine.load()
            assert await manager.generate_response("Hi", options=FOUR) == words(4)
        return machine

    machine = asyncio.run(talk())
    assert machine.loader.loaded[0].closed and set(threading.enumerate()) - before == set()


def test_a_coroutine_for_which_no_thread_can_be_had_leaves_its_turn(
    ladder: Ladder, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(ladder)
    machine.load()
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "gearshift-reply":
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="new thread"):
            asyncio.run(machine.manager.generate_response("Hi", options=FOUR))
    assert machine.manager.respond("Hi", options=FOUR, timeout=WAIT) == words(4)
    machine.manager.shutdown()
