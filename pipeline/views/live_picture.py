"""What a live cell shows, as plain data for its front end."""

import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

from ..outlook import Outlook
from ..settings import Settings
from ..words import Decision

_POINTS = 240  # across a picture; more could not be told apart
_SENTENCES = 5

Point = tuple[float, int, int, float]
"""Seconds, external and own bytes, and the bound on external use."""


class LivePicture:
    """The last `window` seconds of each pool and the last decisions; what it keeps is bounded by both.

    A silence, as that of a pause, and a clock that goes back begin the lines anew. Thread-safe.
    """

    def __init__(self, window: float, settings: Settings) -> None:
        self._window, self._settings = window, settings
        self._lines: dict[str, deque[Point]] = {}
        self._totals: dict[str, int] = {}
        self._decisions: deque[Decision] = deque(maxlen=_SENTENCES)
        self._time = 0.0
        self._guard = threading.Lock()

    def update(self, outlook: Outlook) -> None:
        with self._guard:
            self._extend(outlook)

    def decided(self, decision: Decision) -> None:
        with self._guard:
            self._decisions.append(decision)

    def told(self, rung: str | None) -> dict[str, Any]:
        """For the front end: bytes, and seconds before the newest sample."""
        with self._guard:
            pools = [self._pool(name, total) for name, total in self._totals.items()]
            sentences = [(self._time - d.time, d.kind, d.explain()) for d in reversed(self._decisions)]
        return {"window": self._window, "rung": rung, "pools": pools, "decisions": sentences}

    def _extend(self, outlook: Outlook) -> None:
        if not self._time <= outlook.time <= self._time + self._settings.silence:
            self._lines.clear()
            self._totals.clear()
        self._time = outlook.time
        for name, seen in outlook.pools.items():
            line = self._lines.setdefault(name, deque())
            if seen is not None:
                self._totals[name] = seen.pool.total
                own = min(seen.pool.own, seen.pool.used)
                line.append((outlook.time, seen.external, own, seen.bound(outlook.shrink)))
        oldest = self._time - self._window
        for line in self._lines.values():
            while line and line[0][0] < oldest:
                line.popleft()

    def _pool(self, name: str, total: int) -> dict[str, Any]:
        return {
            "name": name,
            "total": total,
            "ceilings": self._settings.ceilings(name, total),
            "points": [(round(time - self._time, 2), *rest) for time, *rest in _thinned(self._lines[name])],
        }


def _thinned(line: deque[Point]) -> Iterator[Point]:
    """At most so many points; of those that fall together, the one with the most in use, so that no peak is hidden."""
    step = -(-len(line) // _POINTS)
    points = list(line)
    for first in range(0, len(points), max(1, step)):
        yield max(points[first : first + step], key=lambda point: point[1] + point[2])
