"""How forecasts turned out."""

from collections import deque

import msgspec


class Misses(msgspec.Struct, frozen=True):
    """errors: external use less its bound, fractions of the pool; a miss is above 0. alpha: the share that may miss."""

    errors: list[float]
    alpha: float

    @property
    def share(self) -> float | None:
        """Of the bounds that were exceeded; None where none has fallen due.

        >>> Misses([-0.02, -0.01, 0.0, 0.03], alpha=0.1).share
        0.25
        """
        return sum(error > 0 for error in self.errors) / len(self.errors) if self.errors else None


class MissTrack:
    """Scores the bounds of one pool, each by the first reading at or after its time."""

    def __init__(self, alpha: float) -> None:
        self._alpha = alpha
        self._errors: list[float] = []
        self._pending: deque[tuple[float, float]] = deque()
        self._last = float("-inf")

    def update(self, time: float, external: float, bound: float, horizon: float, known: bool) -> None:
        """Take a reading, and the bound for `horizon` seconds later, as fractions; known: it has a measured margin."""
        pending = self._pending
        if time < self._last:
            pending.clear()
        self._last = time
        while pending and pending[0][0] <= time:
            self._errors.append(external - pending.popleft()[1])
        if known:
            pending.append((time + horizon, bound))

    def found(self) -> Misses:
        return Misses(self._errors, self._alpha)
