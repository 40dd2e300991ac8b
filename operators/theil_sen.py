"""A line that a quarter of wild points can't bend."""

from bisect import bisect_left, insort
from collections import deque

from .line import Trend
from .typing import EARLIEST, LATEST, LEAST, LIMIT, SAME_TIME, positive, whole

__all__ = ["TheilSenWindow"]

_MAD_TO_SIGMA = 1.482602218505602  # 1 / the 75 % quantile of the standard normal distribution


class TheilSenWindow:
    """The arithmetic of `trend(method="theil-sen")`, without Rx, over the last `window` seconds.

    The slope is the median of slopes between pairs of points, the level the median of what the slope leaves, the spread
    the median absolute deviation around the line, scaled to a standard deviation. Each point is paired on arrival with
    up to `pairs` (at least 1) earlier ones, spread evenly over the window: up to `pairs` + 1 points this is the
    Theil–Sen line itself, beyond it a systematic sample of its pairs that breaks down at the same share of outliers (29
    %). One item costs a pass over the window and one sort of what the slope leaves; the sort is the smaller part (up to
    100,000 points it beats a selection in linear time). The slopes cost O(pairs × log) comparisons. Raises TypeError,
    ValueError.

    Source: P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau" (1968); G. Blom,
    "Some properties of incomplete U-statistics" (1976); intercept as in scipy's `theilslopes(method="joint")`.

    >>> window = TheilSenWindow(window=60)
    >>> for t, v in enumerate([0, 2, 4, 99, 8, 10]):
    ...     line = window.update(v, t)
    >>> line.slope, line.level
    (2.0, 10.0)
    """

    __slots__ = ("_newest", "_origin", "_points", "_slopes", "pairs", "window")

    def __init__(self, window: float, *, pairs: int = 6) -> None:
        self.window = positive("window", window)
        self.pairs = whole("pairs", pairs, least=1)
        self._newest = EARLIEST
        self._origin = 0.0  # the first time; times are kept relative to it
        self._points: deque[tuple[float, float, list[float]]] = deque()  # time, value, slopes that end with this point
        self._slopes: list[float] = []  # of all pairs in the window, sorted

    def update(self, value: float, time: float) -> Trend | None:
        """The line at this item; None for one that is left out. value: in units of the series. time: seconds."""
        if not (self._newest <= time < LATEST and LEAST < value < LIMIT):
            return None
        value, time = float(value), float(time)
        points, slopes, pairs = self._points, self._slopes, self.pairs
        if not points:
            self._origin = time
        self._newest = time
        now = time - self._origin
        oldest = now - self.window
        while points and points[0][0] < oldest:
            for slope in points.popleft()[2]:
                del slopes[bisect_left(slopes, slope)]
        held = len(points)
        step = max(1.0, held / pairs)
        for i in range(min(held, pairs)):
            then, was, own = points[int(i * step)]
            if now - then > SAME_TIME:
                slope = (value - was) / (now - then)
                insort(slopes, slope)
                own.append(slope)
        points.append((now, value, []))
        slope = _median(slopes) if slopes else 0.0
        left = sorted([v - slope * t for t, v, _ in points])
        intercept = _median(left)
        spread = _MAD_TO_SIGMA * _median_deviation(left, intercept)
        return Trend(time, value, intercept + slope * now, slope, spread, now - points[0][0], held + 1)


def _median(ordered: list[float]) -> float:
    n = len(ordered)
    return (ordered[n >> 1] + ordered[(n - 1) >> 1]) / 2


def _median_deviation(ordered: list[float], middle: float) -> float:
    """The median of |x − middle|: the closest n values are a run of the sorted ones, found by bisection."""
    n = len(ordered)
    near = (_nearest(ordered, middle, (n >> 1) + 1), _nearest(ordered, middle, ((n - 1) >> 1) + 1))
    return (near[0] + near[1]) / 2


def _nearest(ordered: list[float], middle: float, k: int) -> float:
    """The k-th smallest distance from `middle`."""
    low, high = 0, len(ordered) - k
    while low < high:
        start = (low + high) >> 1
        if middle - ordered[start] > ordered[start + k] - middle:
            low = start + 1
        else:
            high = start
    return max(middle - ordered[low], ordered[low + k - 1] - middle)
