"""Does it grow? A line that wild readings can't bend, through the second half, against a bound that is stated."""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import NamedTuple

from gearshift.operators.theil_sen import TheilSenWindow
from rich.table import Table

from .measuring import Reading

LEAST = 8  # readings that a line takes


class Bound(NamedTuple):
    """How much a measure may grow: `rate` per so many of what is done, and `slack` in all through the second half."""

    rate: float
    slack: float


COUNTS = {name: Bound(0, 0.5) for name in ("threads", "files", "children")}
"""Of which not one more may be there in the end: half a one is noise."""


class TooFew(ValueError):
    """Readings to draw a line through."""


class Growth(NamedTuple):
    """Of one measure through the second half: so much it grew, by the line; two standard errors of that; what was
    allowed. rate: the same growth, per so many of what was done. last: the newest value."""

    name: str
    grown: float
    doubt: float
    allowed: float
    rate: float
    last: float

    @property
    def broken(self) -> bool:
        """It grows, beyond doubt, by more than it may."""
        return self.grown - self.doubt > self.allowed


def growths(readings: Sequence[Reading], bounds: Mapping[str, Bound], *, per: float) -> list[Growth]:
    """How each measure of `bounds` grows, and each of COUNTS, which `bounds` may hold too. Raises TooFew.

    per: so many of what `Reading.at` counts the rates are for.
    """
    found: list[Growth] = []
    for name, bound in {**bounds, **COUNTS, **bounds}.items():
        points = [(each.at, value) for each in readings if (value := getattr(each, name)) is not None]
        if not points and name in ("uss", "held", "server"):
            continue  # this system, or this part, has no such figure
        half = points[len(points) // 2 :]
        if len(half) < LEAST:
            raise TooFew(f"{name} needs {LEAST} readings in the second half, got {len(half)}; let it run longer")
        found.append(_growth(name, half, bound, per))
    return found


def _growth(name: str, points: Sequence[tuple[float, float]], bound: Bound, per: float) -> Growth:
    span = points[-1][0] - points[0][0]
    window = TheilSenWindow(span * 2, pairs=len(points))
    line = None
    for at, value in points:
        line = window.update(value, at)
    assert line is not None
    doubt = 2 * line.spread / sqrt(len(points) / 12)  # of a line through evenly spaced points, at its end
    allowed = bound.rate * span / per + bound.slack
    return Growth(name, line.slope * span, doubt, allowed, line.slope * per, points[-1][1])


def told(found: Sequence[Growth], per: str) -> Table:
    table = Table("what", "at the end", "grew by", "give or take", "allowed", f"per {per}", "")
    for column in table.columns[1:6]:
        column.justify = "right"
    for each in found:
        numbers = (each.last, each.grown, each.doubt, each.allowed, each.rate)
        shown = (f"{number:,.0f}" if abs(number) >= 10 else f"{number:,.2f}" for number in numbers)
        table.add_row(each.name, *shown, "GROWS" if each.broken else "flat")
    return table
