"""Operators that have run for a very long time, against a fresh computation on their last window."""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from fractions import Fraction
from math import ceil, isclose

from gearshift.operators import Trend
from gearshift.operators.calibrated import Calibrator
from gearshift.operators.holt import HoltWindow
from gearshift.operators.rolling import RollingExtreme
from gearshift.operators.theil_sen import TheilSenWindow
from gearshift.operators.trend import TrendWindow

Point = tuple[float, float]
"""A time and a value."""

_WINDOW, _HORIZON, _ALPHA, _LONG = 60.0, 30.0, 0.1, 600.0
_EVERY = 10  # items to one that Theil and Sen's line gets, which costs as much as all others
_EXACT = 1e-9  # relative: a float has seven digits more than this


class Lasting:
    """One of each operator that keeps numbers, fed with all there is."""

    def __init__(self) -> None:
        self._trend, self._holt, self._sen = TrendWindow(_WINDOW), HoltWindow(_WINDOW), TheilSenWindow(_LONG)
        self._most, self._least = (
            RollingExtreme[float](_LONG, largest=True),
            RollingExtreme[float](_LONG, largest=False),
        )
        self._margin = Calibrator(_HORIZON, _ALPHA, window=_LONG)
        self._points: deque[Point] = deque(maxlen=4000)
        self._sparse: deque[Point] = deque(maxlen=400)
        self._count = 0

    def update(self, value: float, time: float) -> None:
        self._points.append((time, value))
        line = self._trend.update(value, time)
        smooth = self._holt.update(value, time)
        self._margin.update(value, time, lambda _: value)
        most, least = self._most.update(value, time), self._least.update(value, time)
        if self._count % _EVERY == 0:
            self._sparse.append((time, value))
            self._middle = self._sen.update(value, time)
        self._count += 1
        self._newest = line, smooth, most, least

    def last(self, seconds: float) -> list[Point]:
        """The points of so many seconds."""
        oldest = self._points[-1][0] - seconds
        return [point for point in self._points if point[0] >= oldest]

    def wrong(self) -> list[str]:
        """What differs from the fresh computation, in words."""
        line, smooth, most, least = self._newest
        points = list(self._points)
        window = [value for _, value in self.last(_LONG)]
        holt, sen = HoltWindow(_WINDOW), TheilSenWindow(_LONG)
        slow = [holt.update(value, time) for time, value in points][-1]
        middle = [sen.update(value, time) for time, value in self._sparse][-1]
        return [
            *differs("the trend", line, exact_line(self.last(_WINDOW))),
            *differs("Holt's trend", smooth, slow and (slow.level, slow.slope)),
            *differs("Theil and Sen's trend", self._middle, middle and (middle.level, middle.slope)),
            *([] if (most, least) == (max(window), min(window)) else [f"extremes: {most}, {least}"]),
            *([] if self._margin.margin == (fresh := margin(points, self._margin.level)) else
              [f"margin: {self._margin.margin} is {fresh} anew"]),
        ]  # fmt: skip


def exact_line(points: Sequence[Point]) -> tuple[float, float]:
    """Level at the last point, and slope, by least squares in fractions."""
    n = len(points)
    times, values = [Fraction(t) for t, _ in points], [Fraction(v) for _, v in points]
    mean_t, mean_v = sum(times) / n, sum(values) / n
    slope = sum((t - mean_t) * (v - mean_v) for t, v in zip(times, values, strict=True)) / sum(
        (t - mean_t) ** 2 for t in times
    )
    return float(mean_v + slope * (times[-1] - mean_t)), float(slope)


def differs(what: str, line: Trend | None, fresh: tuple[float, float] | None) -> list[str]:
    if line is None or fresh is None:
        return [f"{what}: {line} is {fresh} anew"]
    scale = max(abs(line.value), 1.0)  # of what the slope moves in a second, next to nothing may be rounded away
    close = isclose(line.level, fresh[0], rel_tol=_EXACT) and isclose(
        line.slope, fresh[1], rel_tol=_EXACT, abs_tol=_EXACT * scale
    )
    return [] if close else [f"{what}: level {line.level!r}, slope {line.slope!r} are {fresh} anew"]


def margin(points: Sequence[Point], level: float) -> float:
    """The 1 - level quantile of the errors of "no change" in the last window."""
    times = [time for time, _ in points]
    used, errors = -1, list[Point]()
    for time, value in points:
        due = bisect_right(times, time - _HORIZON) - 1
        while due >= 0 and times[due] + _HORIZON > time:
            due -= 1  # the subtraction above was rounded
        if due > used:
            errors.append((time, value - points[due][1]))
            used = due
    ordered = sorted(error for time, error in errors if time >= points[-1][0] - _LONG)
    rank = ceil((1 - level) * (len(ordered) + 1))
    if rank <= len(ordered):
        return ordered[max(rank, 1) - 1]
    return ordered[-1] + max(0.0, -level) * (ordered[-1] - ordered[0])
