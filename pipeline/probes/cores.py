"""Cores that this process may use: its affinity, under the CPU quotas of its control groups."""

import os
from collections.abc import Iterator
from pathlib import Path


def usable_cores(proc: Path = Path("/proc"), sys: Path = Path("/sys/fs/cgroup")) -> float:
    """Cores, above 0: those that the scheduler may pick, or what the tightest quota allows if that is less.

    A quota of 150 ms every 100 ms is 1.5 cores, however many there are to run on.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min([float(allowed), *cpu_quotas(proc, sys)])


def cpu_quotas(proc: Path = Path("/proc"), sys: Path = Path("/sys/fs/cgroup")) -> list[float]:
    """Every CPU quota on this process, in cores, v1 and v2, over the whole path up to the root."""
    found = []
    for folder, unified in _folders(proc, sys):
        words = _words(folder / "cpu.max") if unified else _words(folder / "cpu.cfs_quota_us", "cpu.cfs_period_us")
        # `max` in v2 and -1 in v1 stand for no quota
        if len(words) == 2 and all(word.isdigit() and int(word) > 0 for word in words):
            found.append(int(words[0]) / int(words[1]))
    return found


def _words(file: Path, *beside: str) -> list[str]:
    try:
        return [word for f in (file, *map(file.with_name, beside)) for word in f.read_text().split()]
    except OSError:
        return []


def _folders(proc: Path, sys: Path) -> Iterator[tuple[Path, bool]]:
    """The groups of this process that may hold a CPU quota, innermost first, and whether they are of v2."""
    try:
        lines = (proc / "self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        unified = controllers == ""
        if not unified and "cpu" not in controllers.split(","):
            continue
        # v2 alone is mounted on the folder itself, beside v1 on `unified`; v1 controllers may share a mount
        for top in (sys, sys / "unified") if unified else (sys / "cpu", sys / "cpu,cpuacct"):
            inner = top / path.strip("/")
            yield inner, unified
            while inner != top:
                inner = inner.parent
                yield inner, unified
