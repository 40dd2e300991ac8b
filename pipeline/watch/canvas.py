"""Lines of a picture on the screen, of which only those that changed are painted."""

from collections.abc import Callable, Sequence
from itertools import zip_longest

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from .spans import Line

_STYLES = {
    "": Style(),
    "dim": Style(dim=True),
    "strong": Style(bold=True),
    "external": Style(color="cyan"),
    "own": Style(color="green"),
    "edge": Style(color="cyan", bgcolor="green"),
    "bound": Style(color="magenta"),
    "low": Style(dim=True),
    "high": Style(color="red"),
    "critical": Style(color="red", bold=True),
    "good": Style(),
    "up": Style(color="green", bold=True),
    "down": Style(color="magenta", bold=True),
    "shed": Style(color="red", bold=True),
    "mark": Style(bold=True),
    "note": Style(dim=True),
    "alert": Style(bold=True, reverse=True),
}
"""Of the sixteen colours that every terminal has, as its owner has set them."""


def changed(before: Sequence[Line], after: Sequence[Line]) -> list[int]:
    """Rows in which two pictures differ.

    >>> changed([[("a", "")], [("b", "")]], [[("a", "")], [("b", "dim")], [("c", "")]])
    [1, 2]
    """
    return [row for row, (old, new) in enumerate(zip_longest(before, after)) if old != new]


class Canvas(Widget):
    """Shows what it was last given. resized: called when there is room for another picture."""

    DEFAULT_CSS = "Canvas { width: 1fr; height: 1fr; background: ansi_default; color: ansi_default; }"

    def __init__(self, resized: Callable[[], None]) -> None:
        super().__init__()
        self._resized = resized
        self._lines: list[Line] = []

    def on_resize(self) -> None:
        self._resized()

    @property
    def text(self) -> str:
        """What is to be read on it."""
        return "\n".join("".join(text for text, _ in line) for line in self._lines)

    def show(self, lines: Sequence[Line]) -> None:
        """Paint the lines that differ from those shown."""
        before, self._lines = self._lines, list(lines)
        rows = changed(before, self._lines)
        if rows:
            self.refresh(*(Region(0, row, self.size.width, 1) for row in rows))

    def render_line(self, y: int) -> Strip:
        if y >= len(self._lines):
            return Strip.blank(self.size.width)
        return Strip([Segment(text, _STYLES[role]) for text, role in self._lines[y]])
