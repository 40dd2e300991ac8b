"""What happened, as a figure that can be zoomed: a row for each pool, and what was loaded below."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..words import GIB, Decision
from .clock import Clock, clock
from .palette import DARK, LIGHT, Palette
from .styling import plain, styled, wrapped
from .thinning import kept
from .timeline import Stretch, Timeline, Track

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_MARKERS = {
    "upgrade": ("triangle-up", "shift up"),
    "downgrade": ("triangle-down", "shift down"),
    "shed": ("x", "unload"),
}
_CEILINGS = (("critical", "middle"), ("high", "bottom"), ("low", "top"))  # and where their names stand to their lines
_POOL, _BAND, _AROUND = 230, 46, 130  # pixels of height


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
    from plotly.subplots import make_subplots

    shown = _chosen(found, pools)
    palette = DARK if dark else LIGHT
    band = any(stretch.rung is not None for stretch in found.stretches) or bool(found.ladder)
    heights = [_POOL] * len(shown) + [_BAND] * band
    tall = height or sum(heights) + _AROUND
    drawn = make_subplots(
        rows=len(heights),
        cols=1,
        shared_xaxes=True,
        row_heights=heights,
        vertical_spacing=24 / (tall + 24 * len(heights)),
    )
    when = clock(found.times[0], found.times[-1], found.wall)
    at_first = next(iter(shown))
    for row, (name, track) in enumerate(shown.items(), 1):
        places, edges = _rows(found, track)
        x = when.places(places)
        drawn.add_traces(list(_curves(x, edges, palette, legend=row == 1)), rows=row, cols=1)
        here = [d for d in found.decisions if (d.reason.pool if d.reason.pool in shown else at_first) == name]
        drawn.add_traces(list(_decided(found, here, track, when, palette)), rows=row, cols=1)
        _ceilings(drawn, found, name, track, palette, row)
    if band:
        drawn.add_traces(list(_band(found, when, palette)), rows=len(heights), cols=1)
        drawn.update_yaxes(visible=False, row=len(heights), col=1)
    styled(drawn, palette, width=width, height=tall)
    drawn.update_xaxes(**when.axis(), range=when.places((found.times[0], found.times[-1])))
    drawn.update_xaxes(title_text=when.title, row=len(heights), col=1)
    drawn.update_layout(barmode="overlay", bargap=0)
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


Edges = dict[str, list[float | None]]


def _rows(found: Timeline, track: Track) -> tuple[list[float], Edges]:
    """Times and edges to draw, with a hole where there was no sample for longer than counts as continuous."""
    silence = found.settings.silence
    times: list[float] = []
    external: list[float | None] = []
    used: list[float | None] = []
    bound: list[float | None] = []
    newest = found.times[0]
    for time, others, own, reach in zip(found.times, track.external, track.own, track.bound, strict=True):
        if time - newest > silence:
            times.append((newest + time) / 2)
            for edge in (external, used, bound):
                edge.append(None)
        newest = time
        times.append(time)
        external.append(_gib(others))
        used.append(_gib(others, own))
        bound.append(_gib(reach, own))
    places = kept(times, external, used, bound)
    edges = {"external": external, "used": used, "bound": bound}
    return [times[i] for i in places], {name: [edge[i] for i in places] for name, edge in edges.items()}


def _gib(size: float | None, own: int | None = 0) -> float | None:
    return None if size is None or own is None else round((size + own) / GIB, 4)


def _curves(x: Sequence[float], edges: Edges, palette: Palette, *, legend: bool) -> Iterator[Any]:
    own = [
        None if used is None or external is None else used - external
        for used, external in zip(edges["used"], edges["external"], strict=True)
    ]
    areas = [("external", "others", palette.external, "%{y:.2f} GiB")]
    if any(own):
        areas.insert(0, ("used", "own models", palette.own, "%{customdata:.2f} GiB, in all %{y:.2f}"))
    for edge, name, colour, hover in areas:
        customdata = own if edge == "used" else None
        yield from _area(x, edges[edge], name, colour, customdata=customdata, hovertemplate=hover, showlegend=legend)
    yield _line(
        x,
        edges["bound"],
        "may reach",
        palette.bound,
        dash="4px,3px",
        hovertemplate="%{y:.2f} GiB",
        showlegend=legend,
    )


def _area(x: Sequence[float], y: Sequence[float | None], name: str, colour: str, **more: Any) -> Iterator[Any]:
    """A filled line. plotly fills across holes, so where there are some, what is filled comes down to 0 beside them."""
    if None not in y:
        yield _line(x, y, name, colour, fill="tozeroy", fillcolor=colour, **more)
        return
    filled: list[tuple[float, float]] = []
    for i, size in enumerate(y):
        if size is None:
            continue
        if i and y[i - 1] is None:
            filled.append((x[i], 0.0))
        filled.append((x[i], size))
        if i + 1 < len(y) and y[i + 1] is None:
            filled.append((x[i], 0.0))
    ground = {"fill": "tozeroy", "fillcolor": colour, "hoverinfo": "skip", "showlegend": False}
    yield _line([x for x, _ in filled], [y for _, y in filled], name, colour, wide=0, **ground)
    yield _line(x, y, name, colour, **more)


def _line(
    x: Sequence[float], y: Sequence[float | None], name: str, colour: str, *, wide: float = 1.2, dash: str = "solid",
    **more: Any,
) -> Any:  # fmt: skip
    from plotly.graph_objects import Scatter

    line = {"color": colour, "width": wide, "dash": dash}
    return Scatter(x=x, y=y, name=name, mode="lines", line=line, legendgroup=name, **more)


def _decided(
    found: Timeline, decisions: Iterable[Decision], track: Track, when: Clock, palette: Palette
) -> Iterator[Any]:
    from bisect import bisect_right

    from plotly.graph_objects import Scatter

    leads = {shift.decision: shift for shift in found.shifts}
    for kind, (symbol, name) in _MARKERS.items():
        here = [d for d in decisions if d.kind == kind]
        if not here:
            continue
        heights: list[float] = []
        for decision in here:
            at = max(0, bisect_right(found.times, decision.time) - 1)
            others, own = track.external[at], track.own[at]
            heights.append(((others or 0) + (own or 0)) / GIB)
        told = [decision.explain() + _carried_out(leads.get(decision)) for decision in here]
        colour = palette.up if kind == "upgrade" else palette.down if kind == "downgrade" else palette.shed
        yield Scatter(
            x=when.places(d.time for d in here),
            y=heights,
            name=name,
            legendgroup=name,
            mode="markers",
            marker={
                "symbol": [symbol if d.urgency == "immediate" else f"{symbol}-open" for d in here],
                "color": colour,
                "size": 13,
                "line": {"width": 2, "color": colour},
            },
            cliponaxis=False,
            text=[wrapped(text) for text in told],
            hovertemplate="%{text}<extra></extra>",
        )


def _carried_out(shift: Any) -> str:
    if shift is None:
        return ""
    lead = f", {shift.lead:.1f} s ahead of the ceiling" if shift.lead is not None else ""
    return f" Done in {shift.ended - shift.began:.1f} s{lead}."


def _ceilings(drawn: "Figure", found: Timeline, name: str, track: Track, palette: Palette, row: int) -> None:
    settings, top = found.settings, track.total / GIB
    for ceiling, anchor in _CEILINGS:
        share, colour = getattr(settings, ceiling), getattr(palette, ceiling)
        level = settings.limit(name, track.total, share) / GIB
        label = {
            "text": f"{ceiling} {level / top:.0%}", "xref": "x domain", "x": 1, "xanchor": "left", "xshift": 4,
            "y": level, "yanchor": anchor, "showarrow": False, "font": {"size": 11, "color": colour},
        }  # fmt: skip
        drawn.add_shape(
            type="line", xref="x domain", x0=0, x1=1, y0=level, y1=level, row=row, col=1,
            line={"color": colour, "width": 1, "dash": "dot" if ceiling == "low" else "solid"},
        )  # fmt: skip
        drawn.add_annotation(label, row=row, col=1)
    highest = max(
        held + own for held, own in zip(track.external, track.own, strict=True) if held is not None and own is not None
    )
    drawn.update_yaxes(
        title_text=f"{plain(name)}, GiB",
        range=[0, 1.02 * max(top, highest / GIB)],
        rangemode="nonnegative",
        row=row,
        col=1,
    )


def _band(found: Timeline, when: Clock, palette: Palette) -> Iterator[Any]:
    """A bar for each rung, with a piece for each stretch."""
    from plotly.graph_objects import Bar

    names = [rung.name for rung in found.ladder]
    names += dict.fromkeys(s.rung for s in found.stretches if s.rung is not None and s.rung not in names)
    pieces: dict[str | None, list[Stretch]] = {name: [] for name in (*names, None)}
    for stretch in found.stretches:
        pieces[stretch.rung].append(stretch)
    for rank, (name, here) in enumerate(pieces.items()):
        if not here:
            continue
        title = "nothing loaded" if name is None else plain(name)
        begun = when.places(s.begin for s in here)
        yield Bar(
            base=begun,
            x=[end - begin for begin, end in zip(begun, when.places(s.end for s in here), strict=True)],
            y=["rung"] * len(here),
            orientation="h",
            name=title,
            marker={
                "color": palette.rung(None if name is None else rank),
                "line": {"width": 0},
                "pattern": {
                    "shape": ["/" if s.state == "shifting" else "" for s in here],
                    "fgcolor": palette.paper,
                    "fillmode": "overlay",
                    "size": 6,
                },
            },
            text=[title if name is not None and s.state == "ready" else "" for s in here],
            textposition="inside",
            insidetextanchor="middle",
            insidetextfont={"color": palette.paper},
            constraintext="inside",
            customdata=[
                f"{'shifting from ' if s.state == 'shifting' else ''}{title}, {s.end - s.begin:.1f} s" for s in here
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )


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
