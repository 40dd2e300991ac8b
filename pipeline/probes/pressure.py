"""Stalls for want of memory, CPU or disk, as the kernel counts them (pressure stall information)."""

import re
import time
from collections.abc import Callable
from pathlib import Path

from ..samples import Pressure, Reading
from .cgroup import PROC, SYS, Group, MemoryGroup, groups
from .files import KeptFile

RESOURCES = ("memory", "cpu", "io")
_LINE = re.compile(r"^(some|full) .*\btotal=(\d+)$", re.MULTILINE)


class PressureProbe:
    """Stall shares since the reading before, from the growth of `total=`: that shows within half a second what the
    kernel's own averages show after several.

    Of this process's control group where one of version 2 limits its memory (what stalls others is not its concern),
    else of the system. A kernel without pressure information reads as none.
    Source: Documentation/accounting/psi.rst of Linux.
    """

    name = "pressure"
    pools: tuple[str, ...] = ()

    def __init__(self, *, proc: Path = PROC, sys: Path = SYS, clock: Callable[[], float] = time.monotonic) -> None:
        own = _limited_group(proc, sys)
        self._files = {
            name: KeptFile(proc / "pressure" / name if own is None else own / f"{name}.pressure") for name in RESOURCES
        }
        self._clock = clock
        self._last: dict[str, tuple[float, dict[str, int]]] = {}

    def read(self) -> Reading:
        found: dict[str, Pressure] = {}
        for name, file in self._files.items():
            text = file.read()
            if text is None:
                continue
            now, totals = self._clock(), _totals(text)
            last, self._last[name] = self._last.get(name), (now, totals)
            if last is None or now <= last[0]:
                continue
            passed = (now - last[0]) * 1e6
            shares = [(totals.get(k, 0) - last[1].get(k, 0)) / passed for k in ("some", "full")]
            if min(shares) >= 0:  # else it is another group's count, or that of another boot
                found[name] = Pressure(*(round(min(1.0, share), 6) for share in shares))
        return Reading(pressure=found)

    def close(self) -> None:
        """Let go of the kernel's files; a later read opens them again."""
        for file in self._files.values():
            file.close()


def _totals(text: str) -> dict[str, int]:
    """Microseconds stalled since boot, by `some` and `full`; older kernels don't tell the second of `cpu`."""
    totals = {kind: int(total) for kind, total in _LINE.findall(text)}
    if "some" not in totals:
        raise ValueError(f"this tells of no stalls: {text[:80]!r}")
    return totals


def _limited_group(proc: Path, sys: Path) -> Path | None:
    """The innermost group of version 2, if it tells of pressure and some group on its path limits memory."""
    path: list[Group] = [group for group in groups("memory", proc=proc, sys=sys) if group.version == 2]
    if not path or not (path[0].folder / "memory.pressure").exists():
        return None
    return path[0].folder if any(MemoryGroup(group).limit() for group in path) else None
