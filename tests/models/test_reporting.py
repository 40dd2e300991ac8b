"""`ModelManager.replies`: every reply that has ended, be it before its turn."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from gearshift.models import Busy, Ladder, ReplyTimeout, ShutDown
from gearshift.models.replies.reporting import Finished
from gearshift.models.testing import FakeModels

from tests.models.machine import FOUR, Machine
from tests.waiting import until

DEADLINE = 60


class Occupied:
    """A machine whose one rung writes a reply until `go` is set; one more may wait."""

    def __init__(self, ladder: Ladder) -> None:
        self.go, self._writing = threading.Event(), threading.Event()
        machine = Machine(ladder, FakeModels(gate=self._pause), more={"queue": 1})
        machine.load()
        self.manager, self.told = machine.manager, list[Finished]()
        self.manager.replies.subscribe(self.told.append)
        self._writer = threading.Thread(target=self.manager.respond, args=("first",), kwargs={"options": FOUR})
        self._writer.start()
        assert self._writing.wait(DEADLINE)

    def _pause(self) -> None:
        self._writing.set()
        assert self.go.wait(DEADLINE)

    def until_one_waits(self) -> None:
        until(lambda: self.manager._turns._waiting, DEADLINE)

    def close(self) -> None:
        self.go.set()
        self._writer.join()
        self.manager.shutdown()


@pytest.fixture
def occupied(ladder: Ladder) -> Iterator[Occupied]:
    made = Occupied(ladder)
    yield made
    made.close()


def are(told: list[Finished], *ended: tuple[str, str]) -> bool:
    """Are these told, and no more, by the deadline?"""
    ends = time.monotonic() + DEADLINE
    while len(told) < len(ended) and time.monotonic() < ends:
        time.sleep(0.005)
    return [(reply.end, reply.error) for reply in told] == list(ended)


def in_a_thread(occupied: Occupied) -> None:
    occupied.manager.respond("second", timeout=0.05)


def in_a_coroutine(occupied: Occupied) -> None:
    asyncio.run(occupied.manager.generate_response("second", timeout=0.05))


@pytest.mark.parametrize("ask", [in_a_thread, in_a_coroutine])
def test_one_whose_time_is_over_before_its_turn_is_told_as_failed(
    occupied: Occupied, ask: Callable[[Occupied], None]
) -> None:
    with pytest.raises(ReplyTimeout):
        ask(occupied)
    assert are(occupied.told, ("", "ReplyTimeout")) and occupied.told[0].seconds >= 0.05
    occupied.close()
    assert are(occupied.told, ("", "ReplyTimeout"), ("length", ""))


def test_one_that_is_called_off_before_its_turn_is_told_as_cancelled(occupied: Occupied) -> None:
    cancelled = threading.Event()
    cancelled.set()
    assert occupied.manager.respond("second", cancelled=cancelled).end == "cancelled"

    async def leave() -> None:
        waiting = asyncio.create_task(occupied.manager.generate_response("second"))
        await asyncio.to_thread(occupied.until_one_waits)
        waiting.cancel()
        await asyncio.wait({waiting})

    asyncio.run(leave())
    assert are(occupied.told, *[("cancelled", "")] * 2)
    assert all(reply.rung is None and reply.tokens == 0 for reply in occupied.told)


def test_one_that_finds_the_queue_full_or_the_manager_gone_is_told_as_failed(occupied: Occupied) -> None:
    raised: list[Exception] = []

    def wait() -> None:
        try:
            occupied.manager.respond("second")
        except ShutDown as error:
            raised.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    occupied.until_one_waits()
    with pytest.raises(Busy):
        occupied.manager.respond("third")
    assert are(occupied.told, ("", "Busy"))
    occupied.manager._turns.close()
    waiting.join(DEADLINE)
    assert len(raised) == 1 and are(occupied.told, ("", "Busy"), ("", "ShutDown"))
