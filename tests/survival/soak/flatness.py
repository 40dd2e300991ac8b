"""Does it grow? A line that wild readings can't bend, through the second half, against a bound that is stated."""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import NamedTuple

from gearshift.operators.theil_sen import TheilSenWindow
from rich.table import Table

from .measuring import Reading

COUNTS = ("threads", "files", "children")
"""Of which not one more may be there at the end of the second half than at its beginning: half a one is noise."""

_LEAST = 8  # readings that a line takes


class Growth(NamedTuple):
    """Of one measure, per so many of what was done: slope, two standard errors of it, the bound, and the last value."""

    name: str
    slope: float
    doubt: float
    bound: float
    last: float

    @property
    def broken(self) -> bool:
        """It grows, beyond doubt, by more than it may."""
        return self.slope - self.doubt > self.bound


def growths(readings: Sequence[Reading], bounds: Mapping[str, float], *, per: float) -> list[Growth]:
    """How each measure of `bounds` (and each of COUNTS) grows. Raises ValueError for too few readings.

    bounds: how much it may, per `per` of what `Reading.at` counts.
    """
    found: list[Growth] = []
    for name in (*bounds, *COUNTS):
        points = [(each.at, value) for each in readings if (value := getattr(each, name)) is not None]
        if not points and name in ("uss", "held", "server"):
            continue  # this system, or this part, has no such figure
        half = points[len(points) // 2 :]
        if len(half) < _LEAST:
            raise ValueError(f"{name} needs {_LEAST} readings in the second half, got {len(half)}; let it run longer")
        span = half[-1][0] - half[0][0]
        bound = bounds[name] if name in bounds else 0.5 * per / span
        found.append(_growth(name, half, span, bound, per))
    return found


def _growth(name: str, points: Sequence[tuple[float, float]], span: float, bound: float, per: float) -> Growth:
    window = TheilSenWindow(span * 2, pairs=len(points))
    line = None
    for at, value in points:
        line = window.update(value, at)
    assert line is not None
    doubt = 2 * line.spread / (span * sqrt(len(points) / 12))  # of a line through evenly spaced points
    return Growth(name, line.slope * per, doubt * per, bound, points[-1][1])


def told(found: Sequence[Growth], per: str) -> Table:
    table = Table("what", "at the end", f"growth per {per}", "give or take", "may be", "")
    for column in table.columns[1:5]:
        column.justify = "right"
    for each in found:
        numbers = (each.last, each.slope, each.doubt, each.bound)
        table.add_row(each.name, *(f"{number:,.0f}" if abs(number) >= 10 else f"{number:,.2f}" for number in numbers),
                      "GROWS" if each.broken else "flat")  # fmt: skip
    return table
