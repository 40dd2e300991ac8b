"""Work on a thread of its own, which another thread takes over where the first one hangs."""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
log = logging.getLogger("gearshift.pipeline")

_LOOKS = 3


class Relieved(Exception):
    """Another thread has taken over: end here, and touch nothing more."""


class _Step:
    """What the thread is at now; `told` for a delivery, which nobody else may go on with."""

    def __init__(self, *, told: bool) -> None:
        self.told = told


class Relay:
    """Runs `work` on a thread until it returns.

    Within it, `ask` answers a question that may hang: then another thread runs `work` anew, and the one that hangs is
    left behind until it gets its answer. `tell` delivers, by one thread at a time whatever happens; that it hangs is
    logged once.

    Args:
        work: ends when it is relieved (`ask` raises Relieved), or for reasons of its own.
        patience: seconds after which a step hangs. They are counted in looks at it, so that a process that was stopped,
            or a machine that slept, is not taken for a step that took long.
        name: of the threads.
    """

    def __init__(self, work: Callable[[], None], *, patience: float, name: str) -> None:
        self._work, self._patience, self._name = work, patience, name
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._step: _Step | None = None
        self._threads = [self._thread(work, name), self._thread(self._look_on, f"{name}-watch")]

    @staticmethod
    def _thread(work: Callable[[], None], name: str) -> threading.Thread:
        return threading.Thread(target=work, name=name, daemon=True)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def ask(self, question: Callable[[], T]) -> T:
        """Its answer. Raises what it raises, and Relieved where that came too late."""
        self._step = _Step(told=False)
        try:
            return question()
        finally:
            with self._lock:
                if threading.current_thread() is not self._threads[0]:
                    raise Relieved
                self._step = None

    def tell(self, deliver: Callable[[T], None], item: T) -> None:
        """Deliver the item; what that raises is raised."""
        self._step = _Step(told=True)
        try:
            deliver(item)
        finally:
            self._step = None

    def stop(self, *, wait: float) -> None:
        """Relieve nobody any more, and wait for the threads, so many seconds at most, except from one of them."""
        self._over.set()
        with self._lock:
            threads = list(self._threads)
        if threading.current_thread() not in threads:
            for thread in reversed(threads):
                thread.join(wait)

    def end(self) -> None:
        """The work is done."""
        self._over.set()

    def _look_on(self) -> None:
        seen: _Step | None = None
        looks = 0
        while not self._over.wait(self._patience / _LOOKS):
            step = self._step
            looks = looks + 1 if step is seen else 0
            seen = step
            if step is None or looks != _LOOKS:
                continue
            if step.told:
                log.warning("a subscriber has held up the samples for %.1f s; they wait for it", self._patience)
            else:
                self._relieve(step)

    def _relieve(self, step: _Step) -> None:
        with self._lock:
            if self._step is not step or self._over.is_set():
                return
            self._step = None
            self._threads[0] = self._thread(self._work, self._name)
            self._threads[0].start()
