"""RAM under the tightest limit in force: host, control groups, or the app's own budget."""

from collections.abc import Callable
from typing import NamedTuple

import psutil

from ..samples import Pool, Reading
from .cgroup import Limit, cgroup_limits


class Own(NamedTuple):
    """What this app's models hold, in bytes; `mapped` is the part that lives in memory-mapped files."""

    used: int = 0
    mapped: int = 0


def tree_rss(process: psutil.Process) -> int:
    """Resident bytes of a process and all its descendants. Shared pages count in each, so it errs upward."""
    total = process.memory_info().rss
    for child in process.children(recursive=True):
        try:
            total += child.memory_info().rss
        except psutil.Error:
            continue  # it ended between the listing and the reading
    return total


def host_and_limits() -> list[Limit]:
    memory = psutil.virtual_memory()
    return [Limit(memory.total, memory.total - memory.available, memory.available), *cgroup_limits()]


class RamProbe:
    """The pool `ram`. Resident mapped weights count as used: the kernel calls them available, yet evicting them
    stalls every token. A budget counts resident bytes of this process and its children, mapped ones included."""

    name = "ram"
    pools: tuple[str, ...] = ("ram",)

    def __init__(self, *, budget: int | None = None, own: Callable[[], Own] = Own) -> None:
        self.budget = budget
        self._own = own
        self._process = psutil.Process()

    def read(self) -> Reading:
        own = self._own()
        limits = [Limit(t, min(t, used + min(own.mapped, cache))) for t, used, cache in host_and_limits()]
        if self.budget is not None:
            limits.append(Limit(self.budget, tree_rss(self._process)))
        tightest = min(limits, key=lambda limit: limit.total - limit.used)
        return Reading(pools={"ram": Pool(tightest.total, tightest.used, min(own.used, tightest.used))})
