"""Memory limits of control groups, v1 and v2, over the whole path up to the root."""

import os
import re
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ..samples import UNLIKELY
from .files import KeptFile

LOOK_AGAIN = 60.0
PROC, SYS = Path("/proc"), Path("/sys/fs/cgroup")


class Limit(NamedTuple):
    """A limit in force, in bytes: how much there is and how much a new allocation can't have.

    `reclaimable` is file cache already taken out of `used`; mapped weights may hide in it.
    """

    total: int
    used: int
    reclaimable: int = 0


class Group(NamedTuple):
    """A control group's folder and the version of its hierarchy."""

    folder: Path
    version: int


def _mounts(proc: Path, sys: Path, controller: str) -> list[tuple[int, str, Path]]:
    """Hierarchies that may hold the controller: version, the group that is mounted, and where."""
    found: list[tuple[int, str, Path]] = []
    try:
        lines = _lines(proc / "self/mountinfo")
    except OSError:
        mounted = sorted(sys.iterdir()) if sys.is_dir() else []
        found = [(1, "/", folder) for folder in mounted if controller in folder.name.split(",")]
        return [*found, (2, "/", sys), (2, "/", sys / "unified")]
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(" "), after.split(" ", 2)
        if len(fields) < 5 or len(kinds) < 3:
            continue
        kind, _, options = kinds
        root, point = (re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), text) for text in fields[3:5])
        if kind == "cgroup2":
            found.append((2, root, Path(point)))
        elif kind == "cgroup" and controller in options.split(","):
            found.append((1, root, Path(point)))
    return found


def groups(controller: str, *, proc: Path = PROC, sys: Path = SYS) -> list[Group]:
    """The control groups of this process that a controller may act in, innermost first, up to the mounted root.

    Inside a container the path may be the host's; the mounted root is then what is known of it.
    """
    try:
        lines = _lines(proc / "self/cgroup")
    except OSError:
        return []
    paths: dict[int, str] = {}
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, colon, path = rest.partition(":")
        if not colon:
            continue
        if controllers == "":
            paths[2] = path
        elif controller in controllers.split(","):
            paths[1] = path
    mounted = [mount for mount in _mounts(proc, sys, controller) if mount[0] in paths]
    ours = [mount for mount in mounted if PurePosixPath(paths[mount[0]]).is_relative_to(mount[1])]
    found: list[Group] = []
    for version, root, point in mounted:
        path = PurePosixPath(paths[version])
        if not path.is_relative_to(root) and any(mount[0] == version for mount in ours):
            continue  # somebody else's part of the hierarchy
        inside = path.relative_to(root) if path.is_relative_to(root) else PurePosixPath()
        inner = point if ".." in inside.parts else point / inside
        while True:
            found.append(Group(inner, version))
            if inner == point:
                break
            inner = inner.parent
    return list(dict.fromkeys(found))


def _lines(path: Path) -> list[str]:
    """Names of mounts and groups may hold any byte but the end of a line."""
    return [os.fsdecode(line) for line in path.read_bytes().split(b"\n") if line]


class MemoryGroup:
    """One control group's memory: its limit, and usage less what the kernel gives back when asked.

    That is all file cache, the active too, as in the kernel's own MemAvailable: a checkpoint that was read twice stays
    active when its rung has long gone, and nothing evicts it until somebody asks for its room.
    """

    def __init__(self, group: Group) -> None:
        v1 = group.version == 1
        limits = ("memory.limit_in_bytes",) if v1 else ("memory.max", "memory.high")
        self._limits = [KeptFile(group.folder / name) for name in limits]
        self._usage = KeptFile(group.folder / ("memory.usage_in_bytes" if v1 else "memory.current"))
        self._stat = KeptFile(group.folder / "memory.stat")
        self._cache = [f"{'total_' if v1 else ''}{kind}_file" for kind in ("inactive", "active")]

    def limit(self) -> Limit | None:
        """The limit in force, None where there is none. `memory.high` counts: beyond it the kernel stalls the group."""
        limits = [n for n in (file.number() for file in self._limits) if n is not None and n < UNLIKELY]
        if not limits:
            return None
        usage, least = self._usage.number(), max(1, min(limits))
        if usage is None or not 0 <= usage < UNLIKELY:
            raise ValueError(f"{self._usage.path}: a limit of {least} bytes, and a usage of {usage}")
        cache = max(0, min(usage, self._file_cache()))
        return Limit(least, usage - cache, cache)

    def close(self) -> None:
        """Let go of the files; a later read opens them again."""
        for file in (*self._limits, self._usage, self._stat):
            file.close()

    def _file_cache(self) -> int:
        text = "\n" + (self._stat.read() or "")
        return sum(_field(text, name) for name in self._cache)


def _field(text: str, name: str) -> int:
    at = text.find(f"\n{name} ")
    return int(text[at + len(name) + 2 :].split("\n", 1)[0]) if at >= 0 else 0


class MemoryGroups:
    """Every memory limit on this process. `limits()` gives them innermost first; none without control groups.

    A process may be moved to other groups, so they are looked up again once a minute, and when one can't be read.
    """

    def __init__(self, proc: Path = PROC, sys: Path = SYS, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._proc, self._sys, self._clock = proc, sys, clock
        self._looked = float("-inf")
        self._groups: list[MemoryGroup] = []

    def limits(self) -> list[Limit]:
        """Raises OSError when a group that was there can't be read, ValueError for what is no number of bytes."""
        now = self._clock()
        if now - self._looked >= LOOK_AGAIN:
            path = groups("memory", proc=self._proc, sys=self._sys)
            found = [MemoryGroup(group) for group in path if group.folder.is_dir()]
            if self._groups and not found:
                raise OSError("the control groups can't be seen any more, and so not what limits this process")
            self._groups, self._looked = found, now
        try:
            return [limit for limit in (group.limit() for group in self._groups) if limit is not None]
        except OSError:
            self._looked = float("-inf")
            raise

    def close(self) -> None:
        """Let go of the files; a later look opens them again."""
        for group in self._groups:
            group.close()
