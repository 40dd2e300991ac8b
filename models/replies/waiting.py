"""A reply's wait for a rung that can write it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ...pipeline.words import Decision
from ..hosts import Model
from ..switching.switcher import Lease, Switcher
from .limits import SLICE, Limits
from .queueing import ShutDown


class NoRungFits(RuntimeError):
    """Not even the smallest rung fits now; the message has the numbers. Ask again later.

    partial: what had been written of the reply; it is in the history too.
    """

    partial: str = ""


class Waiting:
    """Leases that wait for the rung, and tell clearly why there is none.

    Args:
        patience: seconds to wait for a decision while nothing is loaded and nothing on its way.
        why_none: says why no rung is loaded, where no decision has said so.
    """

    def __init__(self, switcher: Switcher, patience: float, why_none: Callable[[], str]) -> None:
        self._switcher, self._patience, self._why_none = switcher, patience, why_none
        self._news = threading.Event()
        self._shed: Decision | None = None
        self._closed = False

    def decided(self, decision: Decision) -> None:
        self._shed = decision if decision.target is None else None
        self._news.set()

    @property
    def closed(self) -> bool:
        """Nothing is leased any more."""
        return self._closed

    def close(self) -> None:
        self._closed = True
        self._news.set()

    @contextmanager
    def lease(self, limits: Limits, lost: Model | None = None) -> Iterator[Lease | None]:
        """What is loaded, as soon as it is, but not `lost` any more. None when the reply is over before.

        Raises NoRungFits, ShutDown.
        """
        until = time.monotonic() + self._patience
        while True:
            self._news.clear()
            if self._closed:
                raise ShutDown
            if limits.over:
                yield None
                return
            with self._switcher.leased(timeout=SLICE) as lease:
                if lease is not None and lease.model is not lost:
                    yield lease
                    return
            if lease is None and not self._switcher.idle:
                until = time.monotonic() + self._patience  # it is on its way
            elif lease is None and self._shed is not None:
                raise NoRungFits(self._shed.explain())
            elif time.monotonic() > until:
                raise NoRungFits(self._why_none())
            self._news.wait(SLICE)
