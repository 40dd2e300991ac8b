"""This process and all that descend from it: who they are, and what they hold."""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

RELIST, REMEASURE = 1.0, 60.0
SHRUNK = 16 * 2**20


class ProcessTree:
    """A process and its descendants, and their resident bytes.

    `used()` sums resident bytes at every call and takes off what they share. How much that is, the kernel finds by a
    walk over all pages, so it is measured once a minute, and when a process has come, gone or shrunk. Descendants
    are looked up once a second.
    """

    def __init__(self, pid: int | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._root, self._clock = psutil.Process(pid), clock
        self._tree = [self._root]
        self._listed = self._measured = float("-inf")
        self._seen: dict[int, tuple[int, int]] = {}  # when that was measured: resident, and shared of it

    def pids(self) -> list[int]:
        return [process.pid for process in self._processes()]

    def used(self) -> int:
        """Bytes: resident, less what was shared when that was last measured. Raises psutil.Error if it has ended."""
        resident = self._resident()
        if len(resident) == 1:
            return sum(resident.values())
        now = self._clock()
        settled = resident.keys() == self._seen.keys() and all(
            held > self._seen[pid][0] - SHRUNK for pid, held in resident.items()
        )
        if not settled or now - self._measured >= REMEASURE:
            self._measured, self._seen = now, self._measure(resident)
        return sum(held - min(held, self._seen.get(pid, (0, 0))[1]) for pid, held in resident.items())

    def resident(self) -> int:
        """Bytes resident, pages that are shared counted in each."""
        return sum(self._resident().values())

    def _resident(self) -> dict[int, int]:
        found = {self._root.pid: self._root.memory_info().rss}
        for process in self._processes()[1:]:
            try:
                held = process.memory_info().rss
            except psutil.Error:
                continue  # it ended since it was listed
            if held:
                found[process.pid] = held
        return found

    def _measure(self, resident: Mapping[int, int]) -> dict[int, tuple[int, int]]:
        found = dict.fromkeys(resident, (0, 0))
        for process in self._tree:
            try:
                full = process.memory_full_info()
            except psutil.Error:
                continue
            found[process.pid] = full.rss, max(0, full.rss - getattr(full, "pss", full.rss))
        return {pid: found[pid] for pid in resident}

    def _processes(self) -> list[psutil.Process]:
        now = self._clock()
        if now - self._listed >= RELIST:
            self._listed = now
            known = {process.pid: process for process in self._tree}
            pids = _descendants(self._root.pid)
            if pids is None:
                self._tree = [self._root, *self._root.children(recursive=True)]
            elif pids != set(known) - {self._root.pid}:
                self._tree = [self._root, *(p for p in (known.get(pid) or _process(pid) for pid in pids) if p)]
        return self._tree


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.Error:
        return None


def _descendants(pid: int) -> set[int] | None:
    """By the kernel's own lists of children, which cost a fraction of a look at every process; None without them."""
    found: set[int] = set()
    told = False
    try:
        tasks = [task.name for task in os.scandir(f"/proc/{pid}/task")]
    except OSError:
        return None
    for task in tasks:
        try:
            children = [int(child) for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split()]
        except OSError:
            continue  # that thread has ended
        told = True
        found.update(children)
        for child in children:
            found |= _descendants(child) or set()
    return found if told else None
