"""The extremes of the last seconds of a series."""

from collections import deque
from typing import Generic, TypeVar

from .typing import Ordered, not_negative

T = TypeVar("T", bound=Ordered)


class RollingExtreme(Generic[T]):
    """The largest (or smallest) value of the last `seconds`, newest included.

    A monotonic deque: a value that a newer one beats can never matter again, so it is dropped. O(1) amortised,
    for values of any ordered type. A time before the newest one, NaN or infinite counts as the newest one.
    Source: D. Lemire, "Streaming maximum-minimum filter using no more than three comparisons per element" (2006).

    >>> low = RollingExtreme[int](10, largest=False)
    >>> [low.update(v, t) for t, v in [(0, 3), (5, 4), (11, 5), (16, 6)]]
    [3, 3, 4, 5]
    """

    __slots__ = ("_kept", "_newest", "largest", "seconds")

    def __init__(self, seconds: float, *, largest: bool) -> None:
        self.seconds = not_negative("seconds", seconds)
        self.largest = largest
        self._kept: deque[tuple[float, T]] = deque()
        self._newest = float("-inf")

    def update(self, value: T, time: float) -> T:
        kept = self._kept
        if self._newest <= time < float("inf"):
            self._newest = time
        else:
            time = self._newest
        if self.largest:
            while kept and not kept[-1][1] > value:
                kept.pop()
        else:
            while kept and not kept[-1][1] < value:
                kept.pop()
        if not kept or kept[-1][0] < time:
            kept.append((time, value))  # else the better one leaves at the same moment
        oldest = time - self.seconds
        while kept[0][0] < oldest:
            kept.popleft()
        return kept[0][1]
