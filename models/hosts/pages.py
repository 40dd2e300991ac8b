"""What a process' pages say, by /proc."""

import os
import re
import threading
from pathlib import Path

import msgspec

from ...pipeline.probes.ram import Own

_RESIDENT = re.compile(rb"Rss(Anon|File|Shmem):\s+(\d+)")
_ROLLED = re.compile(rb"^(Private_Clean|Private_Dirty|Shared_Clean):\s+(\d+)", re.M)


class Pages(msgspec.Struct, frozen=True, array_like=True):
    """Bytes of a process. rss: resident, `file` of it in mapped files. private: of no other process; given back at its
    end. shared: clean pages that others map too."""

    rss: int
    file: int
    private: int
    shared: int


def _resident(status: bytes) -> tuple[int, int] | None:
    """rss and file; None for a process that has ended."""
    kib = {name: int(size) for name, size in _RESIDENT.findall(status)}
    if not kib:
        return None
    return sum(kib.values()) * 1024, kib[b"File"] * 1024


def own_pages() -> Pages:
    """Of this process. The kernel walks over every page: tens of milliseconds for gigabytes."""
    resident = _resident(Path("/proc/self/status").read_bytes())
    assert resident is not None
    rolled = {name: int(size) * 1024 for name, size in _ROLLED.findall(Path("/proc/self/smaps_rollup").read_bytes())}
    return Pages(*resident, rolled[b"Private_Clean"] + rolled[b"Private_Dirty"], rolled[b"Shared_Clean"])


class Watched:
    """A worker's memory: exact at two moments, by its own account, and from there on by how its resident bytes grow,
    which costs microseconds. `own` may be called from any thread."""

    def __init__(self, pid: int, fresh: Pages) -> None:
        self._fresh = self._anchor = fresh
        self._mapped = 0
        self._lock = threading.Lock()
        self._file = os.open(f"/proc/{pid}/status", os.O_RDONLY)

    def loaded(self, pages: Pages) -> Own:
        """Measure from here on; returns what it holds now. Code that it shares with the server is not its own."""
        growth = pages.file - self._fresh.file - max(0, pages.shared - self._fresh.shared)
        with self._lock:
            self._anchor, self._mapped = pages, min(pages.private, max(0, growth))
        return Own(pages.private, self._mapped)

    def own(self) -> Own:
        """Nothing, once it has ended."""
        with self._lock:
            try:
                resident = _resident(os.pread(self._file, 4096, 0)) if self._file >= 0 else None
            except OSError:
                resident = None
            anchor = self._anchor
        if resident is None:
            return Own()
        rss, file = resident
        return Own(max(0, anchor.private + rss - anchor.rss), max(0, self._mapped + file - anchor.file))

    def close(self) -> None:
        """Let go of the descriptor. Idempotent."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
            self._file = -1
