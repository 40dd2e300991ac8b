"""What a process' pages say, by /proc."""

import os
import re
import threading
from pathlib import Path

import msgspec

from ...pipeline.probes.ram import Own

_RESIDENT = re.compile(rb"Rss(Anon|File|Shmem):\s+(\d+)")
_ENDED = re.compile(rb"^State:\s+[ZX]", re.M)
_SMAPS = re.compile(
    rb"^[0-9a-f]+-[0-9a-f]+ ..(.). \S+ \S+ (\d+) *(.*)$|^(Rss|Private_Clean|Private_Dirty|Anonymous): +(\d+)", re.M
)


class Pages(msgspec.Struct, frozen=True, array_like=True):
    """Bytes of a process. rss: resident, `file` of it in mapped files.

    held: of no other process, and so given back at its end, and all that is resident of data files (weights that
    another process maps too are needed here all the same). mapped: in data files.
    """

    rss: int
    file: int
    held: int = 0
    mapped: int = 0


def _resident(status: bytes) -> tuple[int, int] | None:
    """rss and file; None for a process that has ended."""
    kib = {name: int(size) for name, size in _RESIDENT.findall(status)}
    if not kib:
        return None
    return sum(kib.values()) * 1024, kib[b"File"] * 1024


def fresh_pages() -> Pages:
    """Of this process, before it holds anything. Cheap."""
    resident = _resident(Path("/proc/self/status").read_bytes())
    assert resident is not None
    return Pages(*resident)


def own_pages() -> Pages:
    """Of this process. The kernel walks over every page, and over every mapping: tens of milliseconds."""
    fresh = fresh_pages()
    areas: list[tuple[bytes, dict[bytes, int]]] = []
    code: set[bytes] = set()
    for execute, inode, path, name, size in _SMAPS.findall(Path("/proc/self/smaps").read_bytes()):
        if name:
            areas[-1][1][name] = int(size)
            continue
        if execute == b"x":
            code.add(path)
        areas.append((path if inode != b"0" and not path.startswith((b"/dev/", b"/memfd:")) else b"", {}))
    held = mapped = 0
    for path, kib in areas:
        private = kib[b"Private_Clean"] + kib[b"Private_Dirty"]
        data = bool(path) and path not in code
        held += kib[b"Rss"] if data else private
        mapped += kib[b"Rss"] - kib[b"Anonymous"] if data else 0
    return Pages(fresh.rss, fresh.file, held * 1024, mapped * 1024)


class Watched:
    """A worker's memory: exact when its load ends, by its own account, and from there on by how its resident bytes
    grow, which costs microseconds. Thread-safe."""

    def __init__(self, pid: int, fresh: Pages) -> None:
        self._anchor = fresh
        self._last = Own()
        self._lock = threading.Lock()
        self._file = os.open(f"/proc/{pid}/status", os.O_RDONLY)

    def loaded(self, pages: Pages) -> None:
        """Measure from here on."""
        with self._lock:
            self._anchor = pages

    def own(self) -> Own:
        """Nothing, once it has ended. While it ends, what it held: its pages leave its own account at once, but the
        kernel has them back only by and by, and they would look like somebody else's."""
        with self._lock:
            try:
                status = os.pread(self._file, 4096, 0) if self._file >= 0 else b""
            except OSError:
                status = b""
            if (resident := _resident(status)) is not None:
                (rss, file), anchor = resident, self._anchor
                self._last = Own(max(0, anchor.held + rss - anchor.rss), max(0, anchor.mapped + file - anchor.file))
            elif not status or _ENDED.search(status):
                self._last = Own()
            return self._last

    def close(self) -> None:
        """Let go of the descriptor. Idempotent."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
            self._file = -1
