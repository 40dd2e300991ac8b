"""Real memory control groups to break things in, of either version."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from gearshift.pipeline.probes.cgroup import groups

MIB = 2**20
_EMPTY = 20.0  # seconds for a group to lose its last process


class Group:
    """A control group of our own, that limits memory. Bytes."""

    def __init__(self, folder: Path, version: int) -> None:
        self.folder = folder
        self._v1 = version == 1

    @property
    def used(self) -> int:
        return int(self._file("memory.usage_in_bytes", "memory.current").read_text())

    @property
    def resident(self) -> int:
        """What its processes hold: anonymous memory and mapped files, without cache that nobody maps."""
        return self.anonymous + self._stat("total_mapped_file", "file_mapped")

    @property
    def anonymous(self) -> int:
        """What the kernel can't take back without swap."""
        return self._stat("total_rss", "anon")

    @property
    def kills(self) -> int:
        """How many of its processes the kernel has killed for want of memory."""
        lines = self._file("memory.oom_control", "memory.events").read_text().splitlines()
        return int(dict(line.split() for line in lines)["oom_kill"])

    def limit(self, size: int) -> bool:
        """Set the limit. False when the kernel can't bring use below it: then it stays as it is."""
        if not self._v1 and size < self.used:
            (self.folder / "memory.reclaim").write_text(str(self.used - size))
        try:
            self._file("memory.limit_in_bytes", "memory.max").write_text(str(size))
        except OSError:
            return False
        return True

    def inside(self, command: Sequence[str]) -> list[str]:
        """`command`, to be run in the group from its first step."""
        return ["/bin/sh", "-c", f'echo $$ > "{self.folder}/cgroup.procs" && exec "$@"', "sh", *command]

    def child(self, name: str) -> "Group":
        if not self._v1:
            raise OSError("a group with processes can have no limited groups below it")
        folder = self.folder / name
        folder.mkdir()
        return Group(folder, 1)

    def remove(self) -> None:
        """And the groups below it, with whatever still runs in them."""
        below = (folder for folder in self.folder.rglob("*") if folder.is_dir())
        for folder in (*sorted(below, reverse=True), self.folder):
            _end(folder)
            _remove(folder)

    def end(self) -> None:
        """Kill whatever runs in it."""
        _end(self.folder)

    @contextlib.contextmanager
    def joined(self) -> Iterator[None]:
        """This process is in it meanwhile, and whatever it starts."""
        home = groups("memory")[0].folder
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))
        try:
            yield
        finally:
            (home / "cgroup.procs").write_text(str(os.getpid()))

    def _stat(self, v1: str, v2: str) -> int:
        stat = dict(line.split() for line in (self.folder / "memory.stat").read_text().splitlines())
        return int(stat[v1 if self._v1 else v2])

    def _file(self, v1: str, v2: str) -> Path:
        return self.folder / (v1 if self._v1 else v2)


def _end(folder: Path) -> None:
    for pid in (folder / "cgroup.procs").read_text().split():
        with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
            os.kill(int(pid), signal.SIGKILL)


def _remove(folder: Path) -> None:
    end = time.monotonic() + _EMPTY
    while True:
        try:
            return folder.rmdir()
        except FileNotFoundError:
            return None
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def _roots() -> Iterator[tuple[Path, int]]:
    """Where a group may be made: beside us, as high up as is allowed."""
    for group in reversed(groups("memory")):
        if group.version == 1:
            yield group.folder, 1
        elif "memory" in _enabled(group.folder):
            yield group.folder, 2


def _enabled(folder: Path) -> str:
    control = folder / "cgroup.subtree_control"
    with contextlib.suppress(OSError):
        control.write_text("+memory")
    return control.read_text() if control.exists() else ""


@contextlib.contextmanager
def group(name: str, size: int) -> Iterator[Group]:
    """A new group that may hold `size` bytes. Raises OSError where none can be made."""
    refused: list[str] = []
    for root, version in _roots():
        folder = root / f"gearshift-{os.getpid()}-{name}"
        try:
            folder.mkdir()
        except OSError as error:
            refused.append(str(error))
            continue
        made = Group(folder, version)
        try:
            if not made.limit(size):
                raise OSError(f"{folder} takes no limit of {size} bytes")
            yield made
        finally:
            made.remove()
        return
    raise OSError("no control group for memory can be made here: " + ("; ".join(refused) or "there is no controller"))


def why_not() -> str:
    """Why no group can be made here; empty where one can."""
    try:
        with group("probe", 64 * MIB):
            return ""
    except OSError as error:
        return str(error)
