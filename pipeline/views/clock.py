"""The axis of time: by the clock on the wall where that is known, else from the start."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

_SHORT, _DAY = 120.0, 86400.0  # seconds
_LAST_DAY = 253_000_000_000.0  # in the year 9987: what all that draws can name


class Clock(NamedTuple):
    """Where times stand on a plotly axis.

    unit: `wall` or `time` for milliseconds, since 1970 by local time or since the start, `seconds` or `hours` since the
    start. start: seconds, on the clock of the samples. offset: milliseconds to add.
    """

    unit: str
    start: float
    offset: float
    title: str

    def place(self, time: float) -> float:
        elapsed = time - self.start
        if self.unit == "seconds":
            return round(elapsed, 3)
        return round(elapsed / 3600, 5) if self.unit == "hours" else round(self.offset + 1000 * elapsed)

    def places(self, times: Iterable[float]) -> list[float]:
        return [self.place(time) for time in times]

    def axis(self) -> dict[str, Any]:
        """Settings of the axis."""
        if self.unit == "wall":
            return {"type": "date", "hoverformat": "%-d %b %H:%M:%S"}
        if self.unit == "time":
            return {"type": "date", "tickformat": "%-H:%M:%S", "hoverformat": "%-H:%M:%S"}
        return {"type": "linear", "ticksuffix": " s" if self.unit == "seconds" else " h"}


def dated(wall: float) -> float:
    """Seconds since 1970, or 0.0 where no calendar has such a day.

    >>> dated(1.7e9), dated(1e300), dated(-1e14)
    (1700000000.0, 0.0, 0.0)
    """
    return wall if 0 < wall < _LAST_DAY else 0.0


def clock(start: float, end: float, wall: float) -> Clock:
    """For times from `start` to `end`; wall: seconds since 1970 at the start, 0.0 where that isn't known.

    >>> clock(100.0, 160.0, 0.0).places([100.0, 101.5])
    [0.0, 1.5]
    >>> clock(100.0, 1000.0, 0.0).place(101.5)
    86401500
    """
    if wall:
        zone = datetime.fromtimestamp(wall).astimezone()
        shift = zone.utcoffset()
        ahead = shift.total_seconds() if shift is not None else 0.0
        return Clock("wall", start, 1000 * (wall + ahead), f"time ({zone:%Z})")
    span = end - start
    unit = "seconds" if span < _SHORT else "time" if span < _DAY else "hours"
    # from the second day on, as plotly takes whole numbers from 1000 to 9999 for years
    return Clock(unit, start, 1000 * _DAY, "since the start")
