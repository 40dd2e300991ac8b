"""The past of a pool as a plot of a few rows."""

from collections.abc import Sequence

from ..words import GIB
from .columns import Column
from .spans import Glyphs, Line

MARGIN = 7
"""Cells to the left of bars and plots."""

_LEAST = 0.04  # of the pool that a plot spans, so that noise doesn't look like a mountain


def scale(columns: Sequence[Column | None], total: int, ceiling: float) -> tuple[float, float]:
    """Bytes at the foot and at the top: from nothing on where something of ours is drawn, else what others moved in."""
    seen = [column for column in columns if column is not None]
    if not seen:
        return 0.0, float(total)
    top = max(max(column.used, column.bound) for column in seen)
    ours = any(column.used > column.external for column in seen)
    low = 0.0 if ours else float(min(column.least for column in seen))
    high = max(top, ceiling) if ours or top > 0.75 * ceiling else float(top)
    least = _LEAST * total
    if high - low < least:
        low = max(0.0, (low + high - least) / 2)
        high = low + least
    return low, high


def plot(columns: Sequence[Column | None], total: int, ceiling: float, rows: int, glyphs: Glyphs) -> list[Line]:
    """Rows from the top down: others below, ours on them, the bound as dots, the ceiling as a line."""
    low, high = scale(columns, total, ceiling)
    each = (high - low) / rows
    lines: list[Line] = []
    for row in range(rows - 1, -1, -1):
        label = f"{(high if row == rows - 1 else low) / GIB:6.2f} " if row in (0, rows - 1) else " " * MARGIN
        line: Line = [(label, "dim")]
        for column in columns:
            cell = _cell(column, low + row * each, each, ceiling, glyphs, row == rows - 1)
            if line[-1][1] == cell[1]:
                line[-1] = (line[-1][0] + cell[0], cell[1])
            else:
                line.append(cell)
        lines.append(line)
    return lines


def _cell(
    column: Column | None, base: float, each: float, ceiling: float, glyphs: Glyphs, top: bool
) -> tuple[str, str]:
    if column is not None:
        filled, used = (column.external - base) / each, (column.used - base) / each
        if filled >= 1:
            return glyphs.others, "external"
        if filled > 0:
            return _part(filled, glyphs), "edge" if used >= 1 else "external"
        if used >= 1 or (used >= 0.5 and glyphs.fill != glyphs.others):  # shades come in whole cells only
            return glyphs.fill, "own"
        if used > 0 and glyphs.fill == glyphs.others:
            return _part(used, glyphs), "own"
        if _within(column.bound, base, each, top):
            return glyphs.bound, "bound"
    return (glyphs.line, "high") if _within(ceiling, base, each, top) else (" ", "")


def _part(share: float, glyphs: Glyphs) -> str:
    return glyphs.partial[min(7, int(share * 8))]


def _within(value: float, base: float, each: float, top: bool) -> bool:
    return base < value <= base + each * (1.000001 if top else 1.0)
