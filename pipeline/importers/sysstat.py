"""What sysstat's numbers mean, for both forms that sadf writes them in.

sysstat records no total of memory. It is derived from what it does record, best first: the total that the caller
names; sums of its columns that must be the total (free + used in old versions; with buffers, cache and slab, which
`-r ALL` shows, in new ones), if they agree with %memused in every row; else the range that the percentages leave open
in all rows together. Each is rounded to a hundredth, so rows with more in use leave less open; %commit, which is of
memory and swap, counts where swap is recorded too (-S). The middle of that range is off by 0.005 / %memused at most:
0.3 % of the total where 1.6 % are in use, 0.01 % where half is.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

KIB = 1024
ROUNDING = 0.005


class Memory(NamedTuple):
    """A row of `sar -r`: KiB, and used as percent of the total. None: not recorded."""

    free: float | None
    avail: float | None
    used: float | None
    percent: float | None
    buffers: float | None
    cached: float | None
    commit: float | None
    commit_percent: float | None
    slab: float | None = None
    swap: float | None = None

    def sums(self) -> list[float | None]:
        """KiB of each sum that is the total in some version of sysstat."""
        return [added((self.free, self.used)), added((self.free, self.used, self.buffers, self.cached, self.slab))]

    def range(self) -> tuple[float, float]:
        """KiB between which the total lies."""
        low, high = _range(self.used, self.percent)
        if self.swap is not None:
            least, most = _range(self.commit, self.commit_percent)
            low, high = max(low, least - self.swap), min(high, most - self.swap)
        return low, high


def added(parts: Iterable[float | None]) -> float | None:
    """The sum, None if a part is."""
    known = list(parts)
    return None if None in known else sum(part for part in known if part is not None)


def _range(part: float | None, percent: float | None) -> tuple[float, float]:
    """Between what the whole lies, of which `part` is that many percent, rounded."""
    if not part or not percent or percent <= ROUNDING:
        return 0.0, float("inf")
    return 100 * part / (percent + ROUNDING), 100 * part / (percent - ROUNDING)


def total_of(rows: Iterable[Memory]) -> float | None:
    """The total that fits all rows, in bytes; None if no row tells anything.

    >>> row = Memory(600, 700, used=250, percent=25, buffers=50, cached=60, commit=None, commit_percent=None, slab=40)
    >>> total_of([row]) == 1000 * 1024
    True
    """
    rows = list(rows)
    ranges = [row.range() for row in rows]
    bounded = [r for r in ranges if 0 < r[1] < float("inf")]
    if not bounded:
        return None
    for candidate in zip(*(row.sums() for row in rows), strict=True):
        if all(s is not None and low <= s <= high for s, (low, high) in zip(candidate, ranges, strict=True)):
            return max(s for s in candidate if s is not None) * KIB
    low, high = max(r[0] for r in bounded), min(r[1] for r in bounded)
    if low > high:
        low, high = min(bounded, key=lambda r: (r[1] - r[0]) / r[1])
    return (low + high) / 2 * KIB


def ram(memory: Memory, total: float | None) -> dict[str, float | None]:
    """Fields of the pool `ram` in bytes: used is total - available, or what sysstat calls used where it is too old."""
    values: dict[str, float | None] = {}
    if total is not None:
        values["ram.total"] = total
    if memory.avail is not None:
        values["ram.avail"] = memory.avail * KIB
    elif (avail := added((memory.free, memory.buffers, memory.cached))) is not None:
        values["ram.avail"] = avail * KIB
    else:
        values["ram.used"] = None if memory.used is None else memory.used * KIB
    return values


def busy(cells: Mapping[str, float | None]) -> float | None:
    """Busy fraction of all CPUs from idle and iowait in percent."""
    idle = cells.get("idle")
    return None if idle is None else max(0.0, 1 - (idle + (cells.get("iowait") or 0.0)) / 100)
