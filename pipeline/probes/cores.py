"""Cores that this process may use: its affinity, under the CPU quotas of its control groups."""

import os
from pathlib import Path

from .cgroup import PROC, SYS, Group, groups


def usable_cores(proc: Path = PROC, sys: Path = SYS) -> float:
    """Cores, above 0: those that the scheduler may pick, or what the tightest quota allows if that is less.

    A quota of 150 ms every 100 ms is 1.5 cores, however many there are to run on.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min([float(allowed), *cpu_quotas(proc, sys)])


def cpu_quotas(proc: Path = PROC, sys: Path = SYS) -> list[float]:
    """Every CPU quota on this process, in cores, v1 and v2, over the whole path up to the root."""
    return [quota for quota in map(_quota, groups("cpu", proc=proc, sys=sys)) if quota is not None]


def _quota(group: Group) -> float | None:
    names = ("cpu.cfs_quota_us", "cpu.cfs_period_us") if group.version == 1 else ("cpu.max",)
    try:
        words = [word for name in names for word in (group.folder / name).read_text().split()]
    except OSError:
        return None
    # `max` in v2 and -1 in v1 stand for no quota
    if len(words) == 2 and all(word.isdigit() and int(word) > 0 for word in words):
        return int(words[0]) / int(words[1])
    return None
