"""This process and all that descend from it: who they are, and what they hold."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil

RELIST, REMEASURE = 1.0, 60.0


class ProcessTree:
    """A process and its descendants, and their resident bytes.

    `used()` sums resident bytes at every call and takes off what they share. How much they share is measured once a
    minute and when the tree changes, as the kernel walks all pages for it; descendants are looked up once a second.
    """

    def __init__(self, pid: int | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._root, self._clock = psutil.Process(pid), clock
        self._tree = [self._root]
        self._listed = self._measured = float("-inf")
        self._shared = 0

    def pids(self) -> list[int]:
        return [process.pid for process in self._processes()]

    def used(self) -> int:
        """Bytes: resident, less what was shared when that was last measured. Raises psutil.Error if it has ended."""
        processes = self._processes()
        resident = self.resident()
        now = self._clock()
        if len(processes) == 1:
            self._shared = 0
        elif now - self._measured >= REMEASURE:
            self._measured, self._shared = now, self._measure()
        return max(0, resident - self._shared)

    def resident(self) -> int:
        """Bytes resident, pages that are shared counted in each."""
        total = self._root.memory_info().rss
        for process in self._processes()[1:]:
            try:
                total += process.memory_info().rss
            except psutil.Error:
                continue  # it ended since it was listed
        return total

    def _measure(self) -> int:
        shared = 0
        for process in self._tree:
            try:
                full = process.memory_full_info()
            except psutil.Error:
                continue
            shared += max(0, full.rss - getattr(full, "pss", full.rss))
        return shared

    def _processes(self) -> list[psutil.Process]:
        now = self._clock()
        if now - self._listed >= RELIST:
            self._listed = now
            known = {process.pid: process for process in self._tree}
            pids = _descendants(self._root.pid)
            if pids is None:
                self._tree = [self._root, *self._root.children(recursive=True)]
            elif pids != set(known) - {self._root.pid}:
                self._measured = float("-inf")
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
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in task.read_text().split()]
        except OSError:
            continue  # that thread has ended
        found.update(children)
        for child in children:
            found |= _descendants(child) or set()
    return found if found or Path(f"/proc/{pid}/task/{pid}/children").exists() else None
