"""What happened, as a figure that can be zoomed: a row for each pool, and what was loaded below."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .clock import Clock, clock
from .curves import ceilings, curves, edges_of
from .events import band, decided
from .palette import DARK, LIGHT, Palette
from .styling import plain, rows_of, styled, wrapped
from .timeline import Timeline, Track

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_POOL, _BAND = 230, 46  # pixels of height


def figure(
    found: Timeline,
    *,
    pools: str | Sequence[str] | None = None,
    dark: bool = False,
    width: int | None = None,
    height: int | None = None,
) -> "Figure":
    """A timeline as a plotly Figure, in GiB.

    For each pool, what others hold and, on top of it, what this app's models hold: the upper edge is all that is in
    use. The dashed line is the same edge as far as it may go within the shrink horizon: the bound on what others will
    hold, with the models on top, so that it can be read against the ceilings, and a shortage shows by its crossing one.
    Triangles are decisions, filled where they were immediate; their hover says why. Where nothing was read there is a
    gap. The band below shows what was loaded; hatched: while it shifted.

    Args:
        pools: those to show; by default all. dark: for a dark background. width, height: pixels; by default as wide as
            there is room, and as high as the pools need.

    Raises:
        ValueError: where there is nothing to draw, or no pool of that name.
    """
    shown = _chosen(found, pools)
    palette = DARK if dark else LIGHT
    loaded = bool(found.rung_names)
    drawn = rows_of([_POOL] * len(shown) + [_BAND] * loaded, height)
    when = clock(found.times[0], found.times[-1], found.wall)
    first = next(iter(shown))
    for row, (name, track) in enumerate(shown.items(), 1):
        times, edges = edges_of(found, track)
        drawn.add_traces(curves(when.places(times), edges, palette), rows=row, cols=1)
        here = [d for d in found.decisions if (d.reason.pool if d.reason.pool in shown else first) == name]
        drawn.add_traces(list(decided(found, here, track, when, palette)), rows=row, cols=1)
        highest = max((used for used in edges["used"] if used is not None), default=0.0)
        ceilings(drawn, found.settings, name, track.total, highest, palette, row)
    last = len(shown) + loaded
    if loaded:
        drawn.add_traces(list(band(found, when, palette)), rows=last, cols=1)
        drawn.update_yaxes(visible=False, row=last, col=1)
    styled(drawn, palette, width=width)
    drawn.update_xaxes(**when.axis(), range=when.places((found.times[0], found.times[-1])))
    drawn.update_xaxes(title_text=when.title, row=last, col=1)
    _marks(drawn, found, when, palette)
    return drawn


def _chosen(found: Timeline, pools: str | Sequence[str] | None) -> dict[str, Track]:
    if not found.times:
        raise ValueError(f"{found.name}: holds no sample, so there is nothing to draw; record for a while longer")
    if not found.tracks:
        raise ValueError(
            f"{found.name}: no pool could be read, so there is nothing to draw; `gearshift doctor` may tell why"
        )
    names = list(found.tracks) if pools is None else [pools] if isinstance(pools, str) else list(pools)
    for name in names:
        if name not in found.tracks:
            raise ValueError(f"{found.name}: no pool is named {name!r}; there are {', '.join(found.tracks)}")
    if not names:
        raise ValueError(f"{found.name}: pools must name at least one, of {', '.join(found.tracks)}, got none")
    return {name: found.tracks[name] for name in names}


def _marks(drawn: "Figure", found: Timeline, when: Clock, palette: Palette) -> None:
    line = {"color": palette.ink, "width": 1, "dash": "dot"}
    for i, mark in enumerate(found.marks):
        x = when.place(mark.time)
        drawn.add_shape(type="line", xref="x", yref="paper", x0=x, x1=x, y0=0, y1=1, line=line, opacity=0.6)
        text = mark.text if len(mark.text) <= 32 else f"{mark.text[:31]}…"
        drawn.add_annotation(
            text=plain(text), hovertext=wrapped(mark.text), xref="x", x=x, xanchor="left", yref="paper", y=1,
            yanchor="top", yshift=-13 * (i % 3), showarrow=False, font={"size": 11},
        )  # fmt: skip
