"""Who holds memory on this machine: looked up when somebody wants to know, as it takes milliseconds."""

from collections.abc import Iterable
from typing import NamedTuple

import psutil

from .probes.processes import ProcessTree


class Process(NamedTuple):
    """pid and began tell it from all others. held: bytes resident that it shares with no other."""

    pid: int
    began: float
    name: str
    held: int


def processes() -> list[Process]:
    """All that may be looked at, without this process and its descendants."""
    ours = set(ProcessTree().pids())
    found: list[Process] = []
    for process in psutil.process_iter(["pid", "name", "memory_info", "create_time"]):
        info = process.info
        memory = info["memory_info"]
        if info["pid"] in ours or memory is None:
            continue
        held = memory.rss - getattr(memory, "shared", 0)
        found.append(Process(info["pid"], info["create_time"] or 0.0, info["name"] or f"process {info['pid']}", held))
    return found


def held_by_name(found: Iterable[Process]) -> list[tuple[str, int]]:
    """Names of programs with the bytes that all their processes hold, the largest first.

    >>> held_by_name([Process(1, 0.0, "web", 3), Process(2, 0.0, "db", 4), Process(3, 0.0, "web", 2)])
    [('web', 5), ('db', 4)]
    """
    held: dict[str, int] = {}
    for process in found:
        held[process.name] = held.get(process.name, 0) + process.held
    return sorted(held.items(), key=lambda named: -named[1])
