"""A fake model that can be held at a word, and questions from threads of their own."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from gearshift.models import Reply

from tests import waiting as bounded
from tests.models.machine import FOUR, Machine

WAIT = 20


def words(count: int, first: int = 0) -> str:
    return "".join(f"word{i} " for i in range(first, count))


class Gate:
    """Holds a fake model before its word number `at`, until it is opened. `failures` are raised at words by number."""

    def __init__(self, at: int = -1, failures: dict[int, Exception] | None = None) -> None:
        self.at, self._failures, self._count = at, failures or {}, 0
        self.reached, self.open = threading.Event(), threading.Event()

    def __call__(self) -> None:
        number, self._count = self._count, self._count + 1
        if number == self.at:
            self.reached.set()
            assert self.open.wait(WAIT)
        if number in self._failures:
            raise self._failures[number]


class Asked(threading.Thread):
    """A question from a thread of its own, and what came of it."""

    def __init__(self, machine: Machine, message: str = "Hi", conversation: str = "default", **more: Any) -> None:
        super().__init__()
        self._ask: Callable[[], Reply] = lambda: machine.manager.respond(
            message, conversation, **{"options": FOUR, **more}
        )
        self.reply: Reply | None = None
        self.error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self.reply = self._ask()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.error = error

    def result(self) -> Reply | Exception | None:
        self.join(WAIT)
        assert not self.is_alive()
        return self.reply if self.error is None else self.error


def waiting(machine: Machine) -> int:
    return len(machine.manager._turns._waiting)


until = partial(bounded.until, seconds=WAIT)


def leases(machine: Machine) -> list[Any]:
    return machine.manager._switcher._leases.on()
