"""Long series with fewer points, and nothing lost that can be seen."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

Series = Sequence[float | None]


def kept(times: Sequence[float], *series: Series, buckets: int = 2000) -> list[int]:
    """Places of the points to draw: of each stretch of time the first, the last, and each series' extremes.

    A hole (None, not read) stays one, however short, and an extreme stays joined to a neighbour that it was drawn with.
    All places where there are few enough. At most 10 for each bucket and series, in general 4 or fewer.

    Args:
        times: seconds. series: as long as `times`. buckets: stretches of equal length, about as many as the
            picture is wide in pixels; of as many points each where times go back.

    Raises:
        ValueError: for fewer than one bucket.

    Source: Jugel et al., "M4: A Visualization-Oriented Time Series Data Aggregation", VLDB 2014.

    >>> spike = [0.0] * 100
    >>> spike[41] = 7.0
    >>> kept([float(second) for second in range(100)], spike, buckets=2)
    [0, 41, 49, 50, 99]
    """
    if buckets < 1:
        raise ValueError(f"buckets must be at least 1, got buckets={buckets!r}")
    count = len(times)
    if count <= 4 * buckets:
        return list(range(count))
    edges = [0, *_edges(times, buckets), count]
    return [place for a, b in pairwise(edges) if a < b for place in _telling(a, b, series)]


def _edges(times: Sequence[float], buckets: int) -> Iterator[int]:
    begin, width = times[0], (times[-1] - times[0]) / buckets
    ascending = all(time <= following for time, following in pairwise(times))
    for i in range(1, buckets):
        yield bisect_left(times, begin + i * width) if ascending else i * len(times) // buckets


def _telling(begin: int, end: int, series: Iterable[Series]) -> list[int]:
    places = {begin, end - 1}
    holed: list[Series] = []
    for values in series:
        here = values[begin:end]
        read = [value for value in here if value is not None]
        extremes = [begin + here.index(edge) for edge in (min(read), max(read))] if read else []
        places.update(extremes)
        if len(read) < len(here):
            holed.append(values)
            places.update(near for at in extremes for near in (at - 1, at + 1) if begin <= near < end)
    for values in holed:
        places.update(_holes(values, sorted(places)))
    return sorted(places)


def _holes(values: Series, places: Sequence[int]) -> Iterator[int]:
    """A place without a reading between each two, where there is one."""
    for place, following in pairwise(places):
        hole = next((at for at in range(place + 1, following) if values[at] is None), None)
        if hole is not None:
            yield hole
