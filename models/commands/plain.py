"""Text that a terminal only shows: names and marks come from files, and may hold what would steer it."""

from rich.text import Text

from ...pipeline.printable import clean_lines


def plain(text: str, style: str = "", *, no_wrap: bool | None = None) -> Text:
    r"""The text in its lines, with everything else that a terminal might obey spelled out, and no markup.

    >>> print(plain("[bold]a\x1b[31mb\nc"))
    [bold]a\x1b[31mb
    c
    """
    return Text(clean_lines(text), style, no_wrap=no_wrap)
