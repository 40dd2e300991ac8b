"""What this process holds, and giving it back."""

import ctypes
import gc
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psutil

from ..pipeline.probes.ram import Own


class Resident(NamedTuple):
    """Resident bytes of this process, and the part of them in memory-mapped files."""

    rss: int
    mapped: int


def resident() -> Resident:
    """A cheap reading; where the kernel doesn't tell the mapped part, it is 0."""
    status = Path("/proc/self/status")
    if not status.exists():
        return Resident(psutil.Process().memory_info().rss, 0)
    kib = {line.split(":")[0]: line.split()[1] for line in status.read_text().splitlines() if line.startswith("Rss")}
    mapped = int(kib["RssFile"]) * 1024
    return Resident(int(kib["RssAnon"]) * 1024 + int(kib["RssShmem"]) * 1024 + mapped, mapped)


def trim() -> None:
    """Collect garbage and hand free pages of the C heap back to the kernel (glibc)."""
    gc.collect()
    if sys.platform.startswith("linux"):
        release = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if release is not None:
            release(0)


class Ledger:
    """What our models hold: measured by what the process grew by during a load, live while one is under way.

    Thread-safe: loads write, the sampler reads.
    """

    def __init__(self, read: Callable[[], Resident] = resident) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._held: dict[str, Own] = {}
        self._loading: Resident | None = None

    def own(self) -> Own:
        with self._lock:
            extra = self._growth(self._loading) if self._loading is not None else Own()
            used = sum(o.used for o in self._held.values()) + extra.used
            return Own(used, sum(o.mapped for o in self._held.values()) + extra.mapped)

    def begin(self) -> None:
        with self._lock:
            self._loading = self._read()

    def end(self, name: str | None) -> Own:
        """Close the load; with a name, what it took is held under that name until `drop`."""
        with self._lock:
            grown = self._growth(self._loading) if self._loading is not None else Own()
            self._loading = None
            if name is not None:
                self._held[name] = grown
            return grown

    def drop(self, name: str) -> None:
        with self._lock:
            self._held.pop(name, None)

    def _growth(self, before: Resident) -> Own:
        now = self._read()
        return Own(max(0, now.rss - before.rss), max(0, now.mapped - before.mapped))
