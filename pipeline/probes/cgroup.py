"""Memory limits of control groups, v1 and v2, over the whole path up to the root."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_UNLIMITED = 1 << 60


class Limit(NamedTuple):
    """A limit in force, in bytes: how much there is and how much a new allocation can't have.

    `reclaimable` is file cache already taken out of `used`; mapped weights may hide in it.
    """

    total: int
    used: int
    reclaimable: int = 0


def _number(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _inactive_file(path: Path) -> int:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    fields = dict(line.split(None, 1) for line in lines if " " in line)
    return int(fields.get("total_inactive_file", fields.get("inactive_file", 0)))


def _folders(proc: Path, sys: Path) -> Iterator[tuple[Path, str, str]]:
    try:
        lines = (proc / "self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            top, limit, usage = sys, "memory.max", "memory.current"
        elif "memory" in controllers.split(","):
            top, limit, usage = sys / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
        else:
            continue
        inner = top / path.strip("/")
        while True:
            yield inner, limit, usage
            if inner == top:
                break
            inner = inner.parent


def cgroup_limits(proc: Path = Path("/proc"), sys: Path = Path("/sys/fs/cgroup")) -> list[Limit]:
    """Every memory limit on this process, innermost first; empty where there is none or no cgroup at all.

    Used is usage less inactive file cache, which the kernel gives back when asked.
    """
    found = []
    for folder, limit_name, usage_name in _folders(proc, sys):
        limit, usage = _number(folder / limit_name), _number(folder / usage_name)
        if limit is None or usage is None or not 0 < limit < _UNLIMITED:
            continue
        cache = min(usage, _inactive_file(folder / "memory.stat"))
        found.append(Limit(limit, usage - cache, cache))
    return found
