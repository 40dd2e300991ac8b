"""How figures look."""

import html
import textwrap
from typing import TYPE_CHECKING

from .palette import Palette

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_WIDE = 60  # characters of a line in a hover


def plain(text: str) -> str:
    """Text for plotly, which would read tags in it.

    >>> plain("<b>large</b>")
    '&lt;b&gt;large&lt;/b&gt;'
    """
    return html.escape(text, quote=False)


def wrapped(text: str) -> str:
    """The same, in lines of a length that a hover has room for."""
    return "<br>".join(plain(line) for line in textwrap.wrap(text, _WIDE))


def styled(drawn: "Figure", palette: Palette, *, width: int | None, height: int) -> None:
    """Colours, legend and hover, the same for all figures."""
    drawn.update_layout(
        template="none",
        width=width,
        height=height,
        paper_bgcolor=palette.paper,
        plot_bgcolor=palette.paper,
        font={"family": "system-ui, sans-serif", "size": 13, "color": palette.ink},
        margin={"l": 56, "r": 84, "t": 56, "b": 48},
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom", "yref": "paper"},
        hovermode="x unified",
        hoverlabel={
            "bgcolor": palette.paper,
            "bordercolor": palette.faint,
            "font": {"color": palette.ink},
            "align": "left",
        },
    )
    drawn.update_xaxes(
        gridcolor=palette.faint, linecolor=palette.faint, zeroline=False, showline=True, title_font_size=13
    )
    drawn.update_yaxes(gridcolor=palette.faint, zeroline=False, title_standoff=8, title_font_size=13)
