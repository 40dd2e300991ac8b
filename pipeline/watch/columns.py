"""What a plot shows in each column: the most in a stretch of time, so that no peak is hidden."""

from bisect import bisect_left, bisect_right
from typing import NamedTuple

from .story import Story

_MOST = 50_000  # columns that are remembered


class Column(NamedTuple):
    """Bytes of a pool, the most in its stretch; least: the least that others held."""

    external: int
    used: int
    bound: float
    least: int


class Columns:
    """Columns of equal length on the story's clock. Those that are over stay as they are, and are kept."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._kept: dict[tuple[str, float, int], Column | None] = {}

    def of(self, pool: str, position: float, window: float, count: int) -> list[Column | None]:
        """The last `count` columns up to `position`, None where nothing was read; after silence nothing is drawn."""
        step = window / count
        last = int(position // step)
        return [self._column(pool, step, number, position) for number in range(last - count + 1, last + 1)]

    def _column(self, pool: str, step: float, number: int, position: float) -> Column | None:
        key = (pool, step, number)
        begin, end = number * step, (number + 1) * step
        if end <= position and key in self._kept:
            return self._kept[key]
        found = self._found(pool, begin, min(end, position), closed=position < end)
        if end <= position:
            if len(self._kept) > _MOST:
                self._kept.clear()
            self._kept[key] = found
        return found

    def _found(self, pool: str, begin: float, end: float, *, closed: bool) -> Column | None:
        times, outlooks = self._story.times, self._story.outlooks
        first = bisect_left(times, begin)
        after = bisect_right(times, end) if closed else bisect_left(times, end)
        if first == after:  # between two samples: as the one before told, while that counts
            first -= 1
            if first < 0 or begin - times[first] > self._story.settings.silence:
                return None
        found: Column | None = None
        for outlook in outlooks[first:after]:
            seen = outlook.pools.get(pool)
            if seen is not None:
                one = Column(seen.external, seen.pool.used, seen.bound(outlook.shrink), seen.external)
                found = one if found is None else _most(found, one)
        return found


def _most(one: Column, other: Column) -> Column:
    return Column(
        max(one.external, other.external), max(one.used, other.used), max(one.bound, other.bound),
        min(one.least, other.least),
    )  # fmt: skip
