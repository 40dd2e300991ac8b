"""What this process and its children hold."""

import ctypes
import gc
import sys
import threading
from collections import Counter
from pathlib import Path

import msgspec
import psutil

SERVER = "gearshift.models.hosts.server"


class Reading(msgspec.Struct, frozen=True):
    """At one moment; None for what was not measured.

    at: samples, shifts or seconds so far. rss, uss: bytes of this process. held: bytes that its allocator has given out
    and not got back. blocks: small objects of Python's. objects: those that the collector follows. threads, files
    (descriptors), children (with their children): how many. server: bytes of the fork server alone. workers: bytes of
    all other children. kept: bytes in the folder of what is remembered.
    """

    at: float
    rss: int
    threads: int
    files: int
    children: int
    server: int | None
    workers: int
    kept: int
    uss: int | None = None
    held: int | None = None
    blocks: int | None = None
    objects: int | None = None


class Gauge:
    """Reads this process and its children. folder: what is remembered from run to run."""

    def __init__(self, folder: Path) -> None:
        self._me = psutil.Process()
        self._folder = folder
        self._held = _allocator()

    def read(self, at: float, *, whole: bool = True) -> Reading:
        """whole: also what takes a collection of garbage and a walk over all pages; resident memory is read before."""
        rss = self._me.memory_info().rss
        server, workers, count = self._children()
        kept = sum(path.stat().st_size for path in self._folder.rglob("*") if path.is_file())
        reading = Reading(at, rss, threading.active_count(), self._me.num_fds(), count, server, workers, kept)
        if not whole:
            return reading
        uss = _private()
        gc.collect()
        held = None if self._held is None else self._held()
        return msgspec.structs.replace(
            reading, uss=uss, held=held, blocks=sys.getallocatedblocks(), objects=len(gc.get_objects())
        )

    def _children(self) -> tuple[int | None, int, int]:
        server, workers, count = None, 0, 0
        for child in self._me.children(recursive=True):
            count += 1
            try:
                if child.ppid() == self._me.pid and SERVER in child.cmdline():
                    server = child.memory_info().rss
                else:
                    workers += child.memory_info().rss
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue  # it has ended meanwhile, and counts
        return server, workers, count


def left_behind() -> list[str]:
    """What is there although all is shut down, in words."""
    processes = [f"process {child.pid} is left behind" for child in psutil.Process().children(recursive=True)]
    names = [each.name for each in threading.enumerate() if each.name.startswith("gearshift-")]
    return [*processes, *(f"thread {name} is left behind" for name in names)]


class Book:
    """Readings in a file, as what is kept in memory would itself grow. path: it is begun anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")

    def add(self, reading: Reading) -> Reading:
        with self.path.open("ab") as file:
            file.write(msgspec.json.encode(reading) + b"\n")
        return reading

    @staticmethod
    def read(path: Path) -> list[Reading]:
        return msgspec.json.decode(b"[" + b",".join(path.read_bytes().splitlines()) + b"]", type=list[Reading])


def kinds() -> Counter[str]:
    """How many objects there are of each type."""
    gc.collect()
    return Counter(f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects())


def _private() -> int | None:
    try:
        rollup = Path("/proc/self/smaps_rollup").read_text("ascii")
    except OSError:  # this system has no such file
        return None
    fields = (line.split() for line in rollup.splitlines()[1:])
    return sum(int(field[1]) for field in fields if field[0].startswith("Private_")) * 1024


class _Mallinfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
    )]  # fmt: skip


def _allocator():
    """What tells the bytes in use, over all arenas; None without glibc 2.33."""
    found = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if found is None:
        return None
    found.restype = _Mallinfo

    def held() -> int:
        info = found()
        return info.uordblks + info.hblkhd

    return held
