"""CPU and swap."""

import os
import time
from collections.abc import Callable

import psutil

from ..samples import Reading
from .cores import usable_cores

_RECOUNT = 60.0  # seconds; a quota changes seldom


class CpuProbe:
    """How busy the cores are that this process may use, since the reading before, and how many tasks want them.

    `cpu` is None at the first reading. `load` is the kernel's one-minute load average for each usable core (affinity
    and quota): above 1, tasks wait.
    """

    name = "cpu"
    pools: tuple[str, ...] = ()

    def __init__(
        self, *, cores: Callable[[], float] = usable_cores, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._count, self._clock = cores, clock
        self._counted = float("-inf")
        self._cores = 1.0
        self._last: tuple[float, float] | None = None
        self._busy: float | None = None

    def read(self) -> Reading:
        now = self._clock()
        if now - self._counted >= _RECOUNT:
            self._counted, self._cores = now, self._count()
        total, idle = self._times()
        if self._last is None or total > self._last[0]:  # else the kernel has not counted on since
            if self._last is not None:
                busy = 1 - (idle - self._last[1]) / (total - self._last[0])
                self._busy = round(min(1.0, max(0.0, busy)), 4)
            self._last = total, idle
        return Reading(cpu=self._busy, load=round(psutil.getloadavg()[0] / self._cores, 3))

    @staticmethod
    def _times() -> tuple[float, float]:
        """Seconds of the usable cores since boot: all, and idle."""
        every = psutil.cpu_times(percpu=True)
        allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(len(every))
        numbered = len(every) == os.sysconf("SC_NPROCESSORS_CONF") if hasattr(os, "sysconf") else True
        # cores that are offline are left out of the list, so that the numbers no longer tell
        mine = [every[i] for i in allowed if i < len(every)] if numbered else every
        total = sum(sum(t) - getattr(t, "guest", 0) - getattr(t, "guest_nice", 0) for t in mine)
        return total, sum(t.idle + getattr(t, "iowait", 0) for t in mine)


class SwapProbe:
    """Bytes of swap in use, and bytes a second that come back from it, which is what stalls (None at first)."""

    name = "swap"
    pools: tuple[str, ...] = ()

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: tuple[float, int] | None = None

    def read(self) -> Reading:
        swap, now = psutil.swap_memory(), self._clock()
        last, self._last = self._last, (now, swap.sin)
        if last is None or now <= last[0]:
            return Reading(swap_used=swap.used)
        return Reading(swap_used=swap.used, swap_in=round(max(0, swap.sin - last[1]) / (now - last[0]), 1))
