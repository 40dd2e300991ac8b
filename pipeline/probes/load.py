"""CPU, swap, and stalls for want of memory."""

import time
from pathlib import Path

import psutil

from ..samples import Pressure, Reading


class CpuProbe:
    """Busy fraction of all cores since the reading before; the first is None."""

    name = "cpu"
    pools: tuple[str, ...] = ()

    def __init__(self) -> None:
        psutil.cpu_percent(None)
        self._primed = False

    def read(self) -> Reading:
        busy = psutil.cpu_percent(None) / 100
        primed, self._primed = self._primed, True
        return Reading(cpu=min(1.0, busy) if primed else None)


class SwapProbe:
    """Bytes of swap in use."""

    name = "swap"
    pools: tuple[str, ...] = ()

    def read(self) -> Reading:
        return Reading(swap_used=psutil.swap_memory().used)


class PressureProbe:
    """Stall shares from the totals of /proc/pressure/memory: they react at once, the kernel's averages take seconds.

    A kernel without pressure information reads as none.
    """

    name = "pressure"
    pools: tuple[str, ...] = ()

    def __init__(self, path: Path = Path("/proc/pressure/memory")) -> None:
        self._path = path
        self._last: tuple[float, dict[str, int]] | None = None

    def read(self) -> Reading:
        if not self._path.exists():
            return Reading()
        now = time.monotonic()
        lines = self._path.read_text().splitlines()
        totals = {line.split()[0]: int(line.rsplit("total=", 1)[1]) for line in lines}
        last, self._last = self._last, (now, totals)
        if last is None or now <= last[0]:
            return Reading()
        passed = (now - last[0]) * 1e6
        some, full = (min(1.0, max(0.0, (totals[k] - last[1][k]) / passed)) for k in ("some", "full"))
        return Reading(pressure={"memory": Pressure(some, full)})
