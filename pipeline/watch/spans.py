"""Lines of a picture: pieces of text, each with the part that it plays."""

import textwrap
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from ..printable import clean

Span = tuple[str, str]
Line = list[Span]
"""A piece is its text and its role, such as `own`, or `edge` for others with ours on top: the app gives it a colour."""


class Glyphs(NamedTuple):
    """What bars and plots are drawn with. partial: from an eighth to the whole of a cell. fill: ours in a plot."""

    others: str
    own: str
    fill: str
    free: str
    bound: str
    line: str
    done: str
    left: str
    head: str
    partial: str


UNICODE = Glyphs("█", "▒", "█", "·", "◦", "─", "━", "─", "●", "▁▂▃▄▅▆▇█")
COLOURLESS = UNICODE._replace(fill="▒")
ASCII = Glyphs("#", "=", "=", ".", "o", "-", "=", "-", "O", "....####")


def length(line: Line) -> int:
    """In cells of the terminal."""
    return sum(cell_len(text) for text, _ in line)


def fitted(line: Line, width: int) -> Line:
    """The line, cut with a sign that it was, or filled up with blanks to `width` cells.

    >>> fitted([("loaded ", "dim"), ("large  small", "")], 12)
    [('loaded ', 'dim'), ('larg', ''), ('~', 'dim')]
    """
    if width > 0 and cell_len("".join(text for text, _ in line).rstrip()) > width:
        return [*_cut(line, width - 1), ("~", "dim")]
    return _cut(line, width)


def _cut(line: Line, width: int) -> Line:
    found: Line = []
    left = width
    for text, role in line:
        size = cell_len(text)
        if size > left:
            text, size = set_cell_size(text, left), left
        if size:
            found.append((text, role))
        left -= size
    if left > 0:
        found.append((" " * left, ""))
    return found


def spread(line: Line, right: Line, width: int) -> Line:
    """Both ends of a line; where there is no room for both, the left one is cut."""
    room = max(0, width - length(right) - 1)
    return fitted([*fitted(line, room), (" ", ""), *right], width)


def shortened(text: str, width: int) -> str:
    """Cleaned, and cut to so many cells with a sign that it was.

    >>> shortened("a-long-name", 6)
    'a-lon~'
    """
    text = clean(text)
    return text if cell_len(text) <= width else set_cell_size(text, max(0, width - 1)).rstrip() + "~"


def wrapped(text: str, width: int) -> list[str]:
    """Cleaned, and broken into lines of at most `width` cells."""
    text, width = clean(text), max(8, width)
    if text.isascii():
        return textwrap.wrap(text, width) or [""]
    from rich.console import Console
    from rich.text import Text

    return [line.plain.rstrip() for line in Text(text).wrap(Console(width=width), width)]
