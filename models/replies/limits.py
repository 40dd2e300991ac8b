"""How long a reply may take, and who may call it off."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .generation import Brake

SLICE = 0.05
"""Seconds between two looks at whether a reply was called off, as an Event can't be waited for beside another."""


STUCK = 10.0
"""Seconds after which a model that was told to stop counts as hung: a token, or a layer, takes far less."""

STUCK_AT_THE_END = 2.0
"""The same, once the app itself ends: its end can't wait for long."""


class ReplyTimeout(TimeoutError):
    """A reply took longer than its `timeout`. partial: what had been written; it is in the history too."""

    partial: str = ""


class Limits:
    """Of one reply, from when it was asked for. Raises ValueError for a timeout that is no seconds above 0."""

    def __init__(
        self,
        cancelled: threading.Event | None = None,
        timeout: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if timeout is not None and not (math.isfinite(timeout) and timeout > 0):
            raise ValueError(f"timeout must be seconds above 0, or None for no limit, got timeout={timeout!r}")
        self.timeout, self._cancelled, self._clock = timeout, cancelled, clock
        self.began = clock()

    @property
    def seconds(self) -> float:
        """Since it was asked for."""
        return self._clock() - self.began

    @property
    def cancelled(self) -> bool:
        return self._cancelled is not None and self._cancelled.is_set()

    @property
    def timed_out(self) -> bool:
        return self.timeout is not None and self.seconds >= self.timeout

    @property
    def over(self) -> bool:
        return self.cancelled or self.timed_out

    def wait(self, event: threading.Event) -> bool:
        """Until the event is set. False when the reply was called off, or its time was over, before."""
        if self._cancelled is None and self.timeout is None:
            return event.wait()
        while not event.wait(SLICE):
            if self.over:
                return event.is_set()
        return True

    def too_late(self) -> ReplyTimeout:
        return ReplyTimeout(
            f"the reply took longer than its timeout of {self.timeout:g} s; what there is of it is kept"
        )

    @contextmanager
    def minding(
        self, brake: Brake, stuck: Callable[[], None] | None = None, ending: Callable[[], bool] = lambda: False
    ) -> Iterator[None]:
        """Meanwhile, stop the brake once the reply is called off or its time is over, in a long prefill too.

        stuck: is called where a brake that was stopped, by this or for a shift, does not end it.
        ending: is the app about to end?
        """
        done = threading.Event()

        def mind() -> None:
            while not done.wait(SLICE):
                if self.over:
                    brake.stop()
                if brake.stopped:
                    since = time.monotonic()
                    while not done.wait(SLICE):
                        if time.monotonic() - since > (min(STUCK, STUCK_AT_THE_END) if ending() else STUCK):
                            if stuck is not None:
                                stuck()
                            return
                    return

        thread = threading.Thread(target=mind, name="gearshift-minder", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
