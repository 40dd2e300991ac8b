"""Decisions as markers, and what was loaded as a band."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Any

from ..simulation.result import Shift
from ..words import GIB, Decision
from .clock import Clock
from .palette import Palette
from .styling import plain, wrapped
from .timeline import Stretch, Timeline, Track

_MARKERS = {
    "upgrade": ("triangle-up", "shift up"),
    "downgrade": ("triangle-down", "shift down"),
    "shed": ("x", "unload"),
}


def decided(
    found: Timeline, decisions: Iterable[Decision], track: Track, when: Clock, palette: Palette
) -> Iterator[Any]:
    from plotly.graph_objects import Scatter

    shifts = {shift.decision: shift for shift in found.shifts}
    for kind, (symbol, name) in _MARKERS.items():
        here = [d for d in decisions if d.kind == kind]
        if not here:
            continue
        heights: list[float] = []
        for decision in here:
            at = max(0, bisect_right(found.times, decision.time) - 1)
            others, own = track.external[at], track.own[at]
            heights.append(((others or 0) + (own or 0)) / GIB)
        told = [decision.explain() + _carried_out(shifts.get(decision)) for decision in here]
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


def _carried_out(shift: Shift | None) -> str:
    if shift is None:
        return ""
    lead = f"; decided {shift.lead:.1f} s before use would have passed the ceiling" if shift.lead is not None else ""
    return f" Done in {shift.ended - shift.began:.1f} s{lead}."


def band(found: Timeline, when: Clock, palette: Palette) -> Iterator[Any]:
    """A bar for each rung, with a piece for each stretch."""
    from plotly.graph_objects import Bar

    pieces: dict[str | None, list[Stretch]] = {name: [] for name in (*found.rung_names, None)}
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
