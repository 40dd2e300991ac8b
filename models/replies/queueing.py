"""Who writes next: one reply at a time, in order of arrival, and no more that wait than the app allows."""

import os
import threading
from collections import deque
from collections.abc import Callable

from ...operators.typing import whole


class Busy(RuntimeError):
    """As many replies wait as may; the message has the numbers and what to do."""


class ShutDown(RuntimeError):
    """The manager has been shut down. partial: what had been written of this reply; it is in the history too."""

    partial: str = ""

    def __init__(self) -> None:
        super().__init__("the manager has been shut down; make a new ModelManager")


class Turn:
    """A place in the queue. `ready` is set when it is this one's turn, or when nobody gets one any more (`closed`)."""

    def __init__(self, queue: "Turns", told: Callable[[], object] | None) -> None:
        self._queue, self._told = queue, told
        self.ready = threading.Event()
        self.closed = False
        self.thread: int | None = None

    def leave(self) -> None:
        """Done, or no longer wanted: the next one's turn comes. Harmless when repeated."""
        self._queue._leave(self)

    def begin(self) -> None:
        """The reply is now written, by this thread. Raises ShutDown."""
        if self.closed:
            raise ShutDown
        self.thread = threading.get_ident()

    def _tell(self) -> bool:
        """False when whoever waits is gone."""
        self.ready.set()
        if self._told is not None:
            try:
                self._told()
            except RuntimeError:  # its event loop was closed
                return False
        return True


class Turns:
    """Thread-safe. waiting: how many may wait beside the one that writes."""

    def __init__(self, waiting: int) -> None:
        self.limit = whole("queue", waiting, least=0)
        self._lock = threading.Lock()
        self._waiting: deque[Turn] = deque()
        self._writing: Turn | None = None
        self._closed = False
        self._owner = os.getpid()
        self._empty = threading.Condition(self._lock)

    def enter(self, told: Callable[[], object] | None = None) -> Turn:
        """Join the queue. `told` is called at this turn, from whatever thread.

        Raises Busy, ShutDown, and RuntimeError in the thread that is writing a reply, which would wait for itself, and
        in a process that the app forked, which has none of the threads that answer.
        """
        if os.getpid() != self._owner:
            raise RuntimeError("the manager belongs to the process that made it; make a new ModelManager after a fork")
        turn = Turn(self, told)
        with self._lock:
            if self._closed:
                raise ShutDown
            if self._writing is not None and self._writing.thread == threading.get_ident():
                raise RuntimeError("on_text can't ask for another reply: this one must end first; ask after it has")
            if self._writing is not None and len(self._waiting) >= self.limit:
                raise Busy(
                    f"{len(self._waiting)} replies wait and no more may; ask again when one has ended, "
                    f"or make the ModelManager with a longer `queue` than {self.limit}"
                )
            if self._writing is not None:
                self._waiting.append(turn)
                return turn
            self._writing = turn
        turn._tell()
        return turn

    def writes_here(self) -> bool:
        """Is it this thread that writes the present reply?"""
        with self._lock:
            return self._writing is not None and self._writing.thread == threading.get_ident()

    def close(self) -> None:
        """Nobody gets a turn any more; those that wait are told."""
        with self._lock:
            self._closed = True
            waiting = list(self._waiting)
            self._waiting.clear()
        for turn in waiting:
            turn.closed = True
            turn._tell()

    def wait_empty(self) -> None:
        """Until nobody writes any more."""
        with self._empty:
            self._empty.wait_for(lambda: self._writing is None)

    def _leave(self, turn: Turn) -> None:
        while True:
            with self._lock:
                if turn is not self._writing:
                    if turn in self._waiting:
                        self._waiting.remove(turn)
                    return
                self._writing = turn = self._waiting.popleft() if self._waiting else None  # pyright: ignore[reportAssignmentType]
                self._empty.notify_all()
                if turn is None:
                    return
            if turn._tell():
                return
