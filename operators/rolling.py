"""Statistics of the last seconds of a series, each O(1) amortised per item."""

from collections import deque
from typing import Any

from .typing import positive


class RollingExtreme:
    """The largest (or smallest) value of the last `seconds`, newest included.

    A monotonic deque: a value that a newer one beats can never matter again, so it is dropped.
    Holds any ordered values. Times must not decrease; an older time counts as the newest one seen.

    >>> low = RollingExtreme(10, largest=False)
    >>> [low.update(t, v) for t, v in [(0, 3), (5, 4), (11, 5), (16, 6)]]
    [3, 3, 4, 5]
    """

    def __init__(self, seconds: float, *, largest: bool) -> None:
        self.seconds = seconds
        self.largest = largest
        self._kept: deque[tuple[float, Any]] = deque()

    def update(self, time: float, value: Any) -> Any:
        kept = self._kept
        if kept:
            time = max(time, kept[-1][0])
        while kept and (kept[-1][1] <= value if self.largest else kept[-1][1] >= value):
            kept.pop()
        kept.append((time, value))
        while kept[0][0] < time - self.seconds:
            kept.popleft()
        return kept[0][1]


class RollingLine:
    """Least-squares line through the last `seconds` of a series.

    Sums are kept relative to an origin that moves with the window, and rebuilt from the window
    after as many items as it holds, so rounding errors cannot pile up: O(1) amortised.
    Source: ordinary least squares; the sliding sums are as in river's `stats.Cov`.

    >>> line = RollingLine(60)
    >>> for t in range(5):
    ...     line.update(t, 100 + 2 * t)
    >>> line.slope, line.level, line.spread
    (2.0, 108.0, 0.0)
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = positive("seconds", seconds)
        self._points: deque[tuple[float, float]] = deque()
        self._since_rebuild = 0
        self._clear(0.0, 0.0)

    def _clear(self, t0: float, v0: float) -> None:
        self._t0, self._v0 = t0, v0
        self._t = self._v = self._tt = self._tv = self._vv = 0.0

    def _add(self, time: float, value: float, sign: int) -> None:
        t, v = time - self._t0, value - self._v0
        self._t += sign * t
        self._v += sign * v
        self._tt += sign * t * t
        self._tv += sign * t * v
        self._vv += sign * v * v

    def update(self, time: float, value: float) -> None:
        points = self._points
        points.append((time, value))
        self._since_rebuild += 1
        while points[0][0] < time - self.seconds:
            self._add(*points.popleft(), -1)
        if self._since_rebuild >= len(points):
            self._since_rebuild = 0
            self._clear(*points[0])
            for point in points:
                self._add(*point, 1)
        else:
            self._add(time, value, 1)

    @property
    def count(self) -> int:
        return len(self._points)

    @property
    def span(self) -> float:
        """Seconds between the oldest and the newest point."""
        return self._points[-1][0] - self._points[0][0] if self._points else 0.0

    @property
    def slope(self) -> float:
        """Units a second; 0.0 when all points share one time."""
        n = len(self._points)
        below = n * self._tt - self._t * self._t
        return (n * self._tv - self._t * self._v) / below if n > 1 and self.span > 0 and below > 0 else 0.0

    @property
    def level(self) -> float:
        """The line's value at the newest time."""
        n = len(self._points)
        newest = self._points[-1][0] - self._t0
        return self._v0 + self._v / n + self.slope * (newest - self._t / n)

    @property
    def spread(self) -> float:
        """Standard deviation of the points around the line."""
        n = len(self._points)
        above = self._vv - self._v * self._v / n - self.slope * (self._tv - self._t * self._v / n)
        return (max(0.0, above) / n) ** 0.5
