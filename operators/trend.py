"""Where a series stands and where it is heading."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from .lifting import NOTHING, lift
from .rolling import RollingLine
from .typing import Operator, item_time, item_value, positive


class Trend(NamedTuple):
    """A line through the last seconds of a series.

    time, value: the newest item (seconds, units). level: the line's value there. slope: units a second.
    spread: standard deviation around the line. span: seconds that the window holds. count: items in it.
    """

    time: float
    value: float
    level: float
    slope: float
    spread: float
    span: float
    count: int  # pyright: ignore[reportIncompatibleMethodOverride] - a window has no use for tuple.count

    def forecast(self, seconds: float) -> float:
        """The line's value `seconds` after the newest item."""
        return self.level + self.slope * seconds

    def time_to(self, level: float) -> float | None:
        """Seconds until the line reaches `level` from below; 0.0 when the newest value is there; None when never."""
        if self.value >= level or self.level >= level:
            return 0.0
        return (level - self.level) / self.slope if self.slope > 0 else None


class TrendWindow:
    """The arithmetic of `trend`, without Rx. `update(time, value)` returns a Trend, or None for an item left out.

    >>> window = TrendWindow(window=30)
    >>> for t in range(4):
    ...     point = window.update(float(t), 50.0 + 5 * t)
    >>> point.slope, point.forecast(10), point.time_to(100)
    (5.0, 115.0, 7.0)
    """

    def __init__(self, *, window: float) -> None:
        self._line = RollingLine(positive("window", window))
        self._newest = -math.inf

    def update(self, time: float, value: float) -> Trend | None:
        if not (math.isfinite(time) and math.isfinite(value)) or time < self._newest:
            return None
        self._newest = time
        line = self._line
        line.update(time, value)
        return Trend(time, value, line.level, line.slope, line.spread, line.span, line.count)


def trend(
    *, window: float, value: Callable[[Any], float] = item_value, time: Callable[[Any], float] = item_time
) -> Operator[Any, Trend]:
    """Fit a line to the last `window` seconds, at every item.

    ::

        values:  --1---2---3---3---3--|
                 trend(window=60)
        slopes:  --0---+---+---+---+--|

    An empty stream stays empty. An item whose time or value is NaN or infinite, or whose time is before the
    newest one, is left out. Items at equal times all count; a slope needs two different times and is 0.0 before.

    Args:
        window: how far to look back, seconds.
        value: selects the number from an item.
        time: selects the event time from an item, seconds.

    Returns:
        An operator from items to `Trend`.

    >>> import reactivex
    >>> from gearshift.operators import Stamped, trend
    >>> ramp = reactivex.of(*[Stamped(t, 10 * t) for t in (0, 1, 2)])
    >>> _ = ramp.pipe(trend(window=60)).subscribe(lambda p: print(p.slope, p.forecast(3)))
    0.0 0.0
    10.0 40.0
    10.0 50.0

    Source: ordinary least squares over a sliding window.
    """
    TrendWindow(window=window)

    def make() -> Callable[[Any], Any]:
        state = TrendWindow(window=window)

        def update(item: Any) -> Any:
            point = state.update(time(item), value(item))
            return NOTHING if point is None else point

        return update

    return lift(make)
