"""RAM under the tightest limit in force: host, control groups, or the app's own budget."""

from collections.abc import Callable
from typing import NamedTuple

import psutil

from ..samples import UNLIKELY, Pool, Reading
from .cgroup import Limit, MemoryGroups
from .processes import ProcessTree


class Own(NamedTuple):
    """What this app's models hold of RAM: `used` bytes, of which `mapped` live in memory-mapped files."""

    used: int = 0
    mapped: int = 0


def host_limit() -> Limit:
    """Raises ValueError for a machine that can't be."""
    memory = psutil.virtual_memory()
    if not 0 <= memory.available <= memory.total < UNLIKELY or memory.total == 0:
        raise ValueError(f"{memory.available} bytes available of {memory.total}")
    return Limit(memory.total, memory.total - memory.available, memory.available)


def ram_limits() -> list[Limit]:
    """What limits RAM here: the host, and every control group that does."""
    return [host_limit(), *MemoryGroups().limits()]


class RamProbe:
    """The pool `ram`. Resident mapped weights count as used: the kernel calls them available, yet evicting them
    stalls every token. A budget counts what this process and its children hold, mapped files included."""

    name = "ram"
    pools: tuple[str, ...] = ("ram",)

    def __init__(
        self,
        *,
        budget: int | None = None,
        own: Callable[[], Own] = Own,
        groups: MemoryGroups | None = None,
        tree: ProcessTree | None = None,
    ) -> None:
        self.budget = budget
        self._own = own
        self._groups = groups or MemoryGroups()
        self._tree = tree or ProcessTree()

    def read(self) -> Reading:
        own = self._own()
        limits = [host_limit(), *self._groups.limits()]
        limits = [Limit(t, min(t, used + min(own.mapped, cache))) for t, used, cache in limits]
        if self.budget is not None:
            limits.append(Limit(self.budget, self._tree.used()))
        tightest = min(limits, key=lambda limit: limit.total - limit.used)
        return Reading(pools={"ram": Pool(tightest.total, tightest.used, min(own.used, tightest.used))})

    def close(self) -> None:
        """Let go of the kernel's files; a later read opens them again."""
        self._groups.close()
