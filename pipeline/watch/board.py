"""The whole picture at one moment, as lines: the same story at the same moment always gives the same."""

from collections.abc import Sequence
from typing import NamedTuple

from . import gauge
from .axis import axis, rungs_row
from .columns import Columns
from .heading import heading, keys, machine, playback, resident
from .log import log, log_length
from .plot import MARGIN, plot
from .spans import UNICODE, Glyphs, Line, fitted, shortened
from .story import Story
from .wording import gib

_WIDE = 110  # cells from which on programs have a column of their own
_SIDE = 34
_TALLEST = 20  # rows of a plot


class View(NamedTuple):
    """What is looked at, and how.

    position, window: seconds on the story's clock, the window ends at the position. scroll: lines of the log that are
    above its first visible one. state: words at the top right, such as `paused`. programs: names with bytes, the
    largest first; None where they aren't known. speed: of a playback, None where it is live.
    """

    position: float
    window: float
    scroll: int = 0
    state: str = ""
    programs: Sequence[tuple[str, int]] | None = None
    speed: float | None = None
    paused: bool = False


class Board:
    """Draws a story."""

    def __init__(self, story: Story, glyphs: Glyphs = UNICODE) -> None:
        self.story, self.glyphs = story, glyphs
        self._columns = Columns(story)

    def draw(self, view: View, width: int, height: int) -> list[Line]:
        """`height` lines of `width` cells each."""
        story, glyphs = self.story, self.glyphs
        head = [heading(story, view.position, view.state, width)]
        at = story.index(view.position)
        if at < 0:
            head.append(fitted([("waiting for the first sample", "dim")], width))
        else:
            head += [resident(story, view.position, width), machine(story.outlooks[at].sample, width)]
        foot = [keys(view.window, view.speed is not None, width)]
        if view.speed is not None:
            foot.insert(0, playback(story, view.position, view.speed, view.paused, width, glyphs))
        wide = _wide(view, width)
        if view.programs is not None and not wide:
            foot.insert(0, _row_of(view.programs, width))
        room = height - len(head) - len(foot)
        pools = self._pools(view, at, width, room) if at >= 0 else []
        rest = max(0, room - len(pools))
        told = log(story, view.position, view.scroll, _log_width(view, width), rest)
        if wide and view.programs is not None:
            told = _beside(told, _column_of(view.programs, rest))
        lines = [*head, *pools, *told, *foot]
        return [fitted(line, width) for line in lines[:height]]

    def log_length(self, view: View, width: int) -> int:
        """Lines that the log has by then."""
        return log_length(self.story, view.position, _log_width(view, width))

    def _pools(self, view: View, at: int, width: int, room: int) -> list[Line]:
        seen = self.story.outlooks[at].pools
        if not seen:
            return [fitted([("no pool of memory is told of", "dim")], width)]
        count = len(seen)
        plots = min(_TALLEST, (room - max(6, room // 4) - 2) // count - 4)
        lines: list[Line] = []
        if plots >= 2:
            for name in seen:
                lines += self._pool(name, view, at, width, plots)
            return [*lines, *self._below(view, width)]
        most = max(1, room - 4)
        if 4 * count <= most:
            for name in seen:
                lines += self._pool(name, view, at, width, 0)
            return lines
        shown = list(seen)[: most if count <= most else most - 1]
        lines = [gauge.brief(name, seen[name], self.story.settings, width, self.glyphs) for name in shown]
        if len(shown) < count:
            lines.append(fitted([(f"and {count - len(shown)} more pools; a taller window shows them", "dim")], width))
        return lines

    def _pool(self, name: str, view: View, at: int, width: int, rows: int) -> list[Line]:
        outlook, settings = self.story.outlooks[at], self.story.settings
        seen, glyphs = outlook.pools[name], self.glyphs
        if seen is None:
            lines = [fitted([(f"{shortened(name, 20):<{MARGIN}}", "strong"), ("can't be read", "critical")], width)]
        else:
            ahead = outlook.shrink
            lines = [
                gauge.numbers(name, seen, width, pretended=self.story.pretended),
                *gauge.bar(seen, ahead, settings, name, width, glyphs),
                gauge.forecast(seen, ahead, settings, name, width),
            ]
        if rows:
            columns = self._columns.of(name, view.position, view.window, width - MARGIN)
            total = seen.pool.total if seen is not None else self._total(name, at)
            lines += plot(columns, total, settings.limit(name, total), rows, glyphs)
        return lines

    def _total(self, name: str, at: int) -> int:
        """Of a pool that can't be read now, as it was last read."""
        for outlook in reversed(self.story.outlooks[:at]):
            found = outlook.pools.get(name)
            if found is not None:
                return found.pool.total
        return 1

    def _below(self, view: View, width: int) -> list[Line]:
        found = [axis(self.story, view.position, view.window, width)]
        row = rungs_row(self.story, view.position, view.window, width)
        return [row, *found] if row is not None else found


def _wide(view: View, width: int) -> bool:
    """Have programs a column of their own?"""
    return width >= _WIDE and view.programs is not None


def _log_width(view: View, width: int) -> int:
    return width - (_SIDE + 2 if _wide(view, width) else 0)


def _row_of(programs: Sequence[tuple[str, int]], width: int) -> Line:
    told = ", ".join(f"{shortened(name, 18)} {gib(held)}" for name, held in programs)
    return fitted([("programs, GiB  ", "dim"), (told or "none that may be looked at", "")], width)


def _column_of(programs: Sequence[tuple[str, int]], rows: int) -> list[Line]:
    lines: list[Line] = [fitted([(f"{'programs':<{_SIDE - 9}}", "dim"), (f"{'GiB':>9}", "dim")], _SIDE)]
    lines += [[(f"{shortened(name, _SIDE - 10):<{_SIDE - 9}}", ""), (f"{gib(held):>9}", "")] for name, held in programs]
    return [fitted(line, _SIDE) for line in lines[:rows]]


def _beside(left: list[Line], right: list[Line]) -> list[Line]:
    blank: Line = [("", "")]
    right = [*right, *[blank] * (len(left) - len(right))]
    return [[*one, ("  ", ""), *other] for one, other in zip(left, right, strict=True)]
