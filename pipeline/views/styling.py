"""How figures look."""

import html
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .palette import Palette

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_LINE = 60  # characters of a line in a hover
_ABOVE, _BELOW, _BETWEEN = 72, 52, 20  # pixels around and between rows


def plain(text: str) -> str:
    """Text for plotly, which would read tags in it.

    >>> plain("<b>large</b>")
    '&lt;b&gt;large&lt;/b&gt;'
    """
    return html.escape(text, quote=False)


def wrapped(text: str) -> str:
    """The same, in lines of a length that a hover has room for."""
    return "<br>".join(plain(line) for line in textwrap.wrap(text, _LINE))


def rows_of(heights: Sequence[int], height: int | None) -> "Figure":
    """An empty figure with rows of these heights, in proportion where that of the whole is given; pixels."""
    from plotly.subplots import make_subplots

    inner = sum(heights) + _BETWEEN * (len(heights) - 1)
    drawn = make_subplots(
        rows=len(heights), cols=1, shared_xaxes=True, row_heights=list(heights), vertical_spacing=_BETWEEN / inner
    )
    drawn.update_layout(height=height or inner + _ABOVE + _BELOW)
    return drawn


def styled(drawn: "Figure", palette: Palette, *, width: int | None) -> None:
    """Colours, legend and hover, the same for all figures; each name stands in the legend once."""
    drawn.update_layout(
        template="none",
        width=width,
        paper_bgcolor=palette.paper,
        plot_bgcolor=palette.paper,
        font={"family": "system-ui, sans-serif", "size": 13, "color": palette.ink},
        margin={"l": 56, "r": 88, "t": _ABOVE, "b": _BELOW},
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1.01, "yanchor": "bottom"},
        hovermode="x unified",
        hoverlabel={
            "bgcolor": palette.paper,
            "bordercolor": palette.faint,
            "font": {"color": palette.ink},
            "align": "left",
        },
        modebar={
            "remove": ["lasso2d", "select2d"],
            "bgcolor": palette.paper,
            "color": palette.low,
            "activecolor": palette.ink,
        },
        barmode="overlay",
        bargap=0,
    )
    drawn.update_xaxes(
        gridcolor=palette.faint, linecolor=palette.faint, zeroline=False, showline=True, title_font_size=13
    )
    drawn.update_yaxes(gridcolor=palette.faint, zeroline=False, title_standoff=8, title_font_size=13)
    named: set[str] = set()
    traces: Any = drawn.data
    for trace in traces:
        trace.showlegend = trace.showlegend is not False and trace.name not in named
        if trace.showlegend:
            named.add(trace.name)
