"""Double exponential smoothing that irregular sampling doesn't bend."""

from math import expm1

from .line import Trend
from .typing import EARLIEST, LATEST, LEAST, LIMIT, SAME_TIME, positive

__all__ = ["HoltWindow"]


class HoltWindow:
    """The arithmetic of `trend(method="holt")`, without Rx: a smoothed level and a smoothed slope, and no items kept.

    An item that comes s seconds after the one before moves the level by 1 − exp(−s / level_seconds) of its error, and
    the slope by 1 − exp(−s / slope_seconds) of the difference, so twice the samples don't mean twice the speed.
    `window` is the slope's time constant, seconds; the level's (`level_seconds`) by default a quarter of it, where the
    pair is critically damped: the fastest that does not overshoot. The first two times give the first slope. spread is
    the root mean square of one-step errors, smoothed as the slope is; span and count are of all items so far. At an
    equal time nothing has elapsed and nothing moves. Raises TypeError, ValueError.

    Source: C. C. Holt (1957); D. J.
    Wright, "Forecasting data published at irregular time intervals using an extension of Holt's method" (1986), with
    gains from time constants.

    >>> window = HoltWindow(window=60)
    >>> for t in (0, 1, 5, 6, 30):
    ...     line = window.update(50.0 + 5 * t, float(t))
    >>> line.slope, line.level, line.count
    (5.0, 200.0, 5)
    """

    __slots__ = ("_begun", "_count", "_level", "_newest", "_slope", "_variance", "level_seconds", "slope_seconds")

    def __init__(self, window: float, *, level_seconds: float | None = None) -> None:
        self.slope_seconds = positive("window", window)
        quarter = self.slope_seconds / 4
        self.level_seconds = positive("level_seconds", quarter if level_seconds is None else level_seconds)
        self._begun = self._newest = EARLIEST
        self._count = 0
        self._level = self._slope = self._variance = 0.0

    def update(self, value: float, time: float) -> Trend | None:
        """The line at this item; None for one that is left out. value: in units of the series. time: seconds."""
        if not (self._newest <= time < LATEST and LEAST < value < LIMIT):
            return None
        value, time = float(value), float(time)
        elapsed = time - self._newest
        if self._count == 0:
            self._begun, self._level = time, value
        elif elapsed < SAME_TIME:
            time = self._newest
        elif self._newest == self._begun:
            self._slope = (value - self._level) / elapsed
            self._level = value
        else:
            expected = self._level + self._slope * elapsed
            error = value - expected
            level = expected - expm1(-elapsed / self.level_seconds) * error
            gain = -expm1(-elapsed / self.slope_seconds)
            self._slope += gain * ((level - self._level) / elapsed - self._slope)
            self._variance += gain * (error * error - self._variance)
            self._level = level
        self._newest = time
        self._count += 1
        spread = self._variance**0.5
        return Trend(time, value, self._level, self._slope, spread, time - self._begun, self._count)
