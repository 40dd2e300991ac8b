"""Where a series stands and where it is heading."""

from typing import NamedTuple

_Line = NamedTuple(  # noqa: UP014 - a class statement may not turn the method tuple.count into a field
    "_Line",
    [
        ("time", float),
        ("value", float),
        ("level", float),
        ("slope", float),
        ("spread", float),
        ("span", float),
        ("count", int),
    ],
)


class Trend(_Line):
    """A line through a series, as it is at the newest item.

    time, value: the newest item (seconds, units). level: the line's value there. slope: units a second.
    spread: standard deviation around the line, units. span: seconds that the line was taken from. count: items.

    >>> line = Trend(time=3.0, value=65.0, level=65.0, slope=5.0, spread=0.0, span=3.0, count=4)
    >>> line.forecast(10), line.time_to(100), line.time_to(60)
    (115.0, 7.0, None)
    """

    __slots__ = ()

    def forecast(self, seconds: float) -> float:
        """The line's value `seconds` after the newest item, in units of the series."""
        return self.level + self.slope * seconds

    def time_to(self, level: float) -> float | None:
        """Seconds until the line is at `level`, rising or falling; 0.0 when it is there, None when it never is."""
        if level == self.level:
            return 0.0
        if (self.slope > 0 and level > self.level) or (self.slope < 0 and level < self.level):
            seconds = (level - self.level) / self.slope
            return seconds if seconds < float("inf") else None
        return None
