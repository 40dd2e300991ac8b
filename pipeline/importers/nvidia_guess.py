"""Which columns of an nvidia-smi file without a header are memory, as far as the numbers leave no doubt.

Only what stays constant can tell: used + free, or a total behind what varies. Used is taken to stand before free, as
nvidia-smi lists them itself; nothing in the numbers would tell. A column of small numbers that counts through the
GPUs is their index. Everything else (utilisation, temperature, power) stays unread; `columns=` reads it.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from .moments import MOST
from .quantities import UNITS, quantity

LEAST = 1024
"""MiB that a GPU has at least, where no unit marks a column as memory."""

Column = list[tuple[float, str] | None]


def guess(rows: Sequence[Sequence[str]]) -> list[str] | None:
    """Names for the cells of `rows`, "" where unknown; None if memory can't be told.

    >>> guess([["0 %", "500 MiB", "1500 MiB"], ["9 %", "700 MiB", "1300 MiB"]])
    ['', 'memory.used', 'memory.free']
    >>> guess([["0", "3000", "24564"], ["0", "8436", "24564"]])
    ['', 'memory.used', 'memory.total']
    >>> guess([["0", "11409"], ["0", "10851"]])
    """
    if not rows:
        return None
    width = Counter(map(len, rows)).most_common(1)[0][0]
    rows = [row for row in rows if len(row) == width]
    columns = [_column([row[place] for row in rows]) for place in range(width)]
    names = [""] * width
    for place, column in enumerate(columns):
        if column is None and all(row[place].startswith("GPU-") for row in rows):
            names[place] = "uuid"
    index = next((place for place, column in enumerate(columns) if column and _counts(column)), None)
    if index is not None:
        names[index] = "index"
    gpus = [row[index] for row in rows] if index is not None else [""] * len(rows)
    for groups in _groups(columns):
        found = [(group, roles) for group in groups if (roles := _roles([columns[p] for p in group], gpus))]
        if len(found) == 1:
            for place, role in zip(*found[0], strict=True):
                names[place] = f"memory.{role}"
            return names
    return None


def _column(cells: Sequence[str]) -> Column | None:
    try:
        return [quantity(cell) for cell in cells]
    except ValueError:
        return None


def _is_size(column: Column) -> bool:
    return any(cell and cell[1] in UNITS for cell in column)


def _could_be_size(column: Column) -> bool:
    known = [cell for cell in column if cell]
    return bool(known) and all(not unit and value == int(value) for value, unit in known)


def _counts(column: Column) -> bool:
    """Whether a column goes 0, 1, … n - 1, 0, 1, … with few exceptions."""
    values = [cell[0] if cell and not cell[1] else -1.0 for cell in column]
    count = max(values) + 1
    if min(values) != 0 or not 1 < count <= MOST:
        return False
    steps = [(b - a) % count == 1 for a, b in pairwise(values)]
    return sum(steps) >= 0.9 * len(steps)


def _groups(columns: Sequence[Column | None]) -> list[list[tuple[int, ...]]]:
    """Places that may be the memory columns: all that have such a unit, else any three or two neighbours."""
    marked = tuple(place for place, column in enumerate(columns) if column and _is_size(column))
    if marked:
        return [[marked]] if len(marked) in (2, 3) else []
    whole = {place for place, column in enumerate(columns) if column and _could_be_size(column)}
    runs = [[tuple(range(place, place + size)) for place in whole] for size in (3, 2)]
    return [[run for run in groups if whole.issuperset(run)] for groups in runs]


def _roles(columns: Sequence[Column | None], gpus: Sequence[str]) -> tuple[str, ...] | None:
    """What the columns are, if their numbers can mean one thing only, on every GPU the same."""
    found = set()
    for gpu in dict.fromkeys(gpus):
        picked = [[cell for cell, g in zip(column or [], gpus, strict=True) if g == gpu] for column in columns]
        rows = [tuple(cell[0] for cell in row if cell) for row in zip(*picked, strict=True) if all(row)]
        found.add(_meaning([list(values) for values in zip(*rows, strict=True)]) if rows else None)
    return found.pop() if len(found) == 1 else None


def _meaning(series: Sequence[Sequence[float]]) -> tuple[str, ...] | None:
    constant = [min(values) == max(values) for values in series]
    if len(series) == 3:
        if constant.count(True) != 1:
            return None
        place = constant.index(True)
        others = [values for at, values in enumerate(series) if at != place]
        if not _sums(others, most=series[place][0]):
            return None
        roles = ["used", "free"]
        roles.insert(place, "total")
        return tuple(roles)
    used, other = series
    if constant[0]:
        return None
    if not constant[1]:
        return ("used", "free") if _sums(series) else None
    return ("used", "total") if other[0] >= max(LEAST, *used) else None


def _sums(pair: Sequence[Sequence[float]], most: float = float("inf")) -> bool:
    """Whether two columns add up to the same everywhere; each is rounded down, so one unit is nothing."""
    sums = [a + b for a, b in zip(*pair, strict=True)]
    return max(sums) - min(sums) <= 1 and LEAST <= max(sums) <= most
