"""A line through the last seconds of a series, at every item."""

from collections.abc import Callable
from math import sqrt
from typing import Any, Literal, TypeVar, overload

from reactivex import abc

from .holt import HoltWindow
from .lifting import connect
from .line import Trend
from .theil_sen import TheilSenWindow
from .typing import (
    EARLIEST,
    LATEST,
    LEAST,
    LIMIT,
    SAME_TIME,
    Operator,
    Valued,
    functions,
    item_time,
    item_value,
    positive,
)

__all__ = ["TrendWindow", "trend"]

A = TypeVar("A")
_new = tuple[float, ...].__new__  # makes a Trend in half the time of its own constructor
Method = Literal["ols", "theil-sen", "holt"]


class TrendWindow:
    """The arithmetic of `trend(method="ols")`, without Rx: the least-squares line through the last `window` seconds.

    O(1) amortised, and nothing drifts: the window is a queue of two stacks. The older one holds its sums ready for each
    suffix, the newer one sums up what arrives; when the older runs out, the newer is turned over into it. So no number
    is ever subtracted from a sum, and the origin of the sums is always a point of the window. Raises TypeError,
    ValueError.

    Source: ordinary least squares; two-stack aggregation of sliding windows as in Tangwongsan, Hirzel and
    Schneider, "Low-latency sliding-window aggregation in worst-case constant time" (2017).

    >>> window = TrendWindow(window=30)
    >>> for t in range(4):
    ...     line = window.update(50.0 + 5 * t, float(t))
    >>> line.slope, line.forecast(10), line.time_to(100)
    (5.0, 115.0, 7.0)
    """

    __slots__ = (
        "_first", "_newest", "_older", "_t", "_t0", "_times", "_tt", "_tv", "_v", "_v0", "_values", "_vv", "window",
    )  # fmt: skip

    def __init__(self, window: float) -> None:
        self.window = positive("window", window)
        self._newest = EARLIEST
        self._times: list[float] = []
        self._values: list[float] = []
        self._older: list[tuple[float, float, float, float, float, float]] = []  # a time, and the sums from there on
        self._first = (float("-inf"), 0.0, 0.0, 0.0, 0.0, 0.0)  # the top of the older stack; at first long past
        self._begin(0.0, 0.0)

    def _begin(self, t0: float, v0: float) -> None:
        self._t0, self._v0 = t0, v0
        self._t = self._v = self._tt = self._tv = self._vv = 0.0

    def _turn_over(self) -> None:
        times, values, push = self._times, self._values, self._older.append
        t0, v0 = times[-1], values[-1]
        self._begin(t0, v0)
        t = v = tt = tv = vv = 0.0
        for time, value in zip(reversed(times), reversed(values), strict=True):
            after, above = time - t0, value - v0
            t += after
            v += above
            tt += after * after
            tv += after * above
            vv += above * above
            push((time, t, v, tt, tv, vv))
        times.clear()
        values.clear()

    def update(self, value: float, time: float) -> Trend | None:
        """The line at this item; None for one that is left out. value: in units of the series. time: seconds."""
        if not (self._newest <= time < LATEST and LEAST < value < LIMIT):
            return None
        value, time = float(value), float(time)
        self._newest = time
        times, older, first = self._times, self._older, self._first
        times.append(time)
        self._values.append(value)
        oldest = time - self.window
        while first[0] < oldest:
            if not older:
                self._turn_over()  # which makes this item the origin: below, it adds nothing
            first = older.pop()
        self._first = first
        after, above = time - self._t0, value - self._v0
        self._t = t = self._t + after
        self._v = v = self._v + above
        self._tt = tt = self._tt + after * after
        self._tv = tv = self._tv + after * above
        self._vv = vv = self._vv + above * above
        begun, more_t, more_v, more_tt, more_tv, more_vv = first
        n = 1 + len(older) + len(times)
        t, v, tt, tv, vv = t + more_t, v + more_v, tt + more_tt, tv + more_tv, vv + more_vv
        mean_t, mean_v = t / n, v / n
        across, along = tt - mean_t * t, tv - mean_t * v
        span = time - begun
        slope = along / across if across > 0 and span > SAME_TIME else 0.0
        around = vv - mean_v * v - slope * along
        spread = sqrt(around / n) if around > 0 else 0.0
        level = self._v0 + mean_v + slope * (after - mean_t)
        return _new(Trend, (time, value, level, slope, spread, span, n))


METHODS: dict[str, Callable[[float], TrendWindow | TheilSenWindow | HoltWindow]] = {
    "ols": TrendWindow,
    "theil-sen": TheilSenWindow,
    "holt": HoltWindow,
}


@overload
def trend(
    window: float, *, time: Callable[[Any], float] = ..., method: Method = ...
) -> Operator[Valued[float], Trend]: ...
@overload
def trend(
    window: float, *, value: Callable[[A], float], time: Callable[[A], float] = ..., method: Method = ...
) -> Operator[A, Trend]: ...
def trend(
    window: float,
    *,
    value: Callable[[Any], float] = item_value,
    time: Callable[[Any], float] = item_time,
    method: Method = "ols",
) -> Operator[Any, Trend]:
    """Fit a line to the last `window` seconds, at every item.

    ::

        values:  --1---2---3---3---3--|
                 trend(window=60)
        slopes:  --0---+---+---+---+--|

    - `"ols"`: least squares over the window. O(1) amortised per item, whatever the window holds.
    - `"theil-sen"`: medians in place of sums: a quarter of the items may be wild. A pass over the window per item.
    - `"holt"`: double exponential smoothing that keeps no items. The slope is smoothed over `window` seconds and
      the level over a quarter of it, which is critically damped. O(1) per item.

    Sampling may be irregular and have gaps; where a gap should begin the line anew, wrap it in `reset_on_gap`.
    An empty stream stays empty. An item whose time or value is NaN, infinite or out of range (±1e15 s, ±1e38), or
    whose time is before the newest one, is left out (so one from the far future silences it, unless `reset_on_gap`
    sees the step back). Items at equal times all count and are all kept (for `"holt"` they have no weight); a slope
    needs two times that are a nanosecond apart and is 0.0 before.

    Args:
        window: how far to look back, seconds.
        value: selects the number from an item.
        time: selects the event time from an item, seconds.
        method: `"ols"`, `"theil-sen"` or `"holt"`.

    Returns:
        An operator from items to `Trend`, one for each item that was not left out.

    Raises:
        TypeError, ValueError: at construction, naming the parameter.

    >>> import reactivex
    >>> from gearshift.operators import Stamped, trend
    >>> ramp = reactivex.of(*[Stamped(t, 10 * t) for t in (0, 1, 2)])
    >>> _ = ramp.pipe(trend(window=60)).subscribe(lambda p: print(p.slope, p.forecast(3)))
    0.0 0.0
    10.0 40.0
    10.0 50.0

    Source: ordinary least squares (`TrendWindow`); Theil (1950) and Sen (1968) (`TheilSenWindow`); Holt (1957)
    and, for irregular sampling, Wright (1986) (`HoltWindow`).
    """
    functions(value=value, time=time)
    if method not in tuple(METHODS):  # which takes what can't be hashed too
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got method={method!r}")
    make_window = METHODS[method]
    make_window(window)

    def make(observer: abc.ObserverBase[Trend]) -> Callable[[Any], None]:
        update, emit = make_window(window).update, observer.on_next

        def on_next(item: Any) -> None:
            try:
                line = update(value(item), time(item))
            except Exception as error:  # noqa: BLE001 - a selector's failure belongs to the stream
                observer.on_error(error)
            else:
                if line is not None:
                    emit(line)

        return on_next

    return connect(make)
