"""Does the machine already thrash? What pressure stall information says, when it has lasted."""

import math

from .samples import Sample

_SHORT, _LONG = 10.0, 60.0  # seconds, as the kernel's own averages
_FALLING, _PER = 0.85, 5.0  # in so many seconds, between two looks of oomd


class Stalls:
    """Feed it samples: `update` is true when all work has been waiting for memory too long and still is.

    Three parts have to hold: the 60 s average of `full` stalls is above half of `limit`, the 10 s average is above
    `limit`, and that one is not falling faster than to 0.85 of it in 5 s. `busy` tells that stalls are not over yet: no
    time to grow. An alarm of the service manager counts as stalls for one sample. While nothing is known of stalls they
    are as they were last: those that were going on are not over because the kernel no longer tells.
    Source: `pressure_rising_beyond` of oomd; the averages as in the kernel's `psi.c`.
    """

    __slots__ = ("_last", "_limit", "_long", "_short", "busy")

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._short = self._long = 0.0
        self._last: float | None = None
        self.busy = False

    def update(self, sample: Sample) -> bool:
        memory = sample.pressure.get("memory") if sample.pressure else None
        if memory is None:
            alarm = bool(sample.alarm)
            self.busy = alarm or self._short > self._limit / 2
            return alarm
        step = 0.0 if self._last is None else max(0.0, sample.time - self._last)
        self._last = sample.time
        before, full = self._short, memory.full
        self._short += (full - self._short) * (1 - math.exp(-step / _SHORT))
        self._long += (full - self._long) * (1 - math.exp(-step / _LONG))
        alarm = bool(sample.alarm)
        self.busy = alarm or self._short > self._limit / 2
        over = self._long > self._limit / 2 and self._short > self._limit
        return alarm or (over and self._short >= before * _FALLING ** (step / _PER))
