"""Who else holds memory on this machine: looked up when somebody wants to know, as it takes milliseconds."""

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from ...pipeline.programs import Process, processes

LATELY = 600.0
"""Seconds that count as lately."""

WORTH = 64 * 2**20
"""Bytes from which on a program is worth a word."""

BROWSERS = (
    "firefox", "chrome", "chromium", "msedge", "brave", "opera", "vivaldi", "safari", "librewolf", "web content",
)  # fmt: skip


class Program(NamedTuple):
    """All processes of one name. held: bytes. grown: bytes of that taken lately, None where that isn't known."""

    name: str
    held: int
    grown: int | None

    @property
    def browser(self) -> bool:
        return any(self.name.lower().startswith(name) for name in BROWSERS)


class Neighbours:
    """Programs by what they have taken lately, then by what they hold.

    What a process has taken lately is known where it is young, or was seen at a look that isn't long ago.
    """

    def __init__(
        self,
        look: Callable[[], Iterable[Process]] = processes,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._look, self._clock = look, clock
        self._seen: dict[tuple[int, float], int] = {}
        self._when = float("-inf")

    def programs(self) -> list[Program]:
        """From a look taken now: the likeliest to have made memory short first, small ones left out."""
        now, found = self._clock(), list(self._look())
        recent = now - self._when <= LATELY
        held: dict[str, int] = {}
        grown: dict[str, int] = {}
        for process in found:
            held[process.name] = held.get(process.name, 0) + process.held
            before = 0 if now - process.began <= LATELY else self._before(process) if recent else None
            if before is not None:
                grown[process.name] = grown.get(process.name, 0) + process.held - before
        self._seen, self._when = {(p.pid, p.began): p.held for p in found}, now
        return _ranked(held, grown)

    def _before(self, process: Process) -> int | None:
        return self._seen.get((process.pid, process.began))


def _ranked(held: dict[str, int], grown: dict[str, int]) -> list[Program]:
    def worth(program: Program) -> tuple[int, int]:
        lately = program.grown or 0
        return (lately if lately >= WORTH else 0, program.held)

    programs = [Program(name, size, grown.get(name)) for name, size in held.items() if size >= WORTH]
    return sorted(programs, key=worth, reverse=True)
