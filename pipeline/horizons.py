"""How far to look ahead: as long as shifts take on this machine."""

from collections import deque

from .rungs import Residency
from .settings import Settings

_REMEMBERED_SHIFTS = 5
_MOST = 6.0  # times the setting: one reply that held up a shift for minutes must not blind the forecasts
_FARTHEST = 1e9  # seconds; beyond that, sums of times and slopes would be no numbers any more


class Horizons:
    """Two distances in seconds, learned from the last five shifts; never less than the setting.

    shrink: the slowest of them, then as long as a shortage must last to count, and one sample interval.
    grow: a shift up and its reversal.

    >>> ahead = Horizons(Settings())
    >>> ahead.shrink, ahead.grow
    (13.0, 23.0)
    >>> ahead.residency(Residency(time=60.0, state="ready", rung="small", seconds=20.0))
    >>> ahead.shrink, ahead.grow
    (23.0, 43.0)
    """

    __slots__ = ("_heard", "_last", "_settings", "grow", "shift", "shrink")

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._last: deque[float] = deque(maxlen=_REMEMBERED_SHIFTS)
        self._heard: Residency | None = None
        self._learn()

    def residency(self, residency: Residency) -> None:
        if residency.seconds > 0 and residency != self._heard:  # said again, it is the same shift
            self._last.append(residency.seconds)
            self._learn()
        self._heard = residency

    def _learn(self) -> None:
        s = self._settings
        shift = max([s.horizon, *(min(seconds, _MOST * s.horizon) for seconds in self._last)])
        self.shift = min(shift, _FARTHEST)
        self.shrink = min(self.shift + s.confirm + s.interval, _FARTHEST)
        self.grow = min(2 * self.shift + s.confirm + s.interval, _FARTHEST)
