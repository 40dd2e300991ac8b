"""A pool's curves and ceilings: what others hold, own models on top of it, and how far both may reach together."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..settings import Settings
from ..words import GIB
from .palette import Palette
from .styling import plain
from .thinning import kept
from .timeline import Timeline, Track

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Edges = dict[str, list[float | None]]

_CEILINGS = (("critical", "middle"), ("high", "bottom"), ("low", "top"))  # and where their names stand to their lines


def edges_of(found: Timeline, track: Track) -> tuple[list[float], Edges]:
    """Times, and edges in GiB: with a hole where no sample came for longer than `Settings.silence`."""
    silence = found.settings.silence
    times: list[float] = []
    external: list[float | None] = []
    used: list[float | None] = []
    bound: list[float | None] = []
    newest = found.times[0]
    for time, others, own, reach in zip(found.times, track.external, track.own, track.bound, strict=True):
        if not 0 <= time - newest <= silence:
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


def curves(x: Sequence[float], edges: Edges, palette: Palette) -> list[Any]:
    """Traces, the lowest first. What own models hold is left out where they never did."""
    external, used = edges["external"], edges["used"]
    own = [
        None if all_ is None or others is None else all_ - others for all_, others in zip(used, external, strict=True)
    ]
    drawn = []
    if any(own):
        hover = "%{customdata:.2f} GiB, in all %{y:.2f}"
        drawn += area(x, used, "own models", palette.own, customdata=own, hovertemplate=hover, legendrank=2)
    drawn += area(x, external, "others", palette.external, hovertemplate="%{y:.2f} GiB", legendrank=1)
    reach = line(
        x, edges["bound"], "may reach", palette.bound, dash="4px,3px", hovertemplate="%{y:.2f} GiB", legendrank=3
    )
    return [*drawn, reach]


def area(x: Sequence[float], y: Sequence[float | None], name: str, colour: str, **more: Any) -> list[Any]:
    """A filled line. plotly fills across holes, so where there are some, what is filled comes down to 0 beside them."""
    if None not in y:
        return [line(x, y, name, colour, fill="tozeroy", fillcolor=colour, **more)]
    filled: list[tuple[float, float]] = []
    for i, size in enumerate(y):
        if size is None:
            continue
        if i and y[i - 1] is None:
            filled.append((x[i], 0.0))
        filled.append((x[i], size))
        if i + 1 < len(y) and y[i + 1] is None:
            filled.append((x[i], 0.0))
    rank = more.get("legendrank")
    ground = {"fill": "tozeroy", "fillcolor": colour, "hoverinfo": "skip", "legendrank": rank}
    below = line([x for x, _ in filled], [y for _, y in filled], name, colour, wide=0, **ground)
    return [below, line(x, y, name, colour, showlegend=False, **more)]


def line(
    x: Sequence[float], y: Sequence[float | None], name: str, colour: str, *, wide: float = 1.2, dash: str = "solid",
    **more: Any,
) -> Any:  # fmt: skip
    from plotly.graph_objects import Scatter

    line = {"color": colour, "width": wide, "dash": dash}
    return Scatter(x=x, y=y, name=name, mode="lines", line=line, legendgroup=name, **more)


def ceilings(
    drawn: "Figure", settings: Settings, pool: str, total: int, highest: float, palette: Palette, row: int
) -> None:
    """Lines across a row for what of the pool may be in use; the axis up to its total, or `highest` GiB if more."""
    levels = settings.ceilings(pool, total)
    for ceiling, anchor in _CEILINGS:
        colour = getattr(palette, ceiling)
        level = levels[ceiling]
        drawn.add_shape(
            type="line", xref="x domain", x0=0, x1=1, y0=level / GIB, y1=level / GIB, row=row, col=1,
            line={"color": colour, "width": 1, "dash": "dot" if ceiling == "low" else "solid"},
        )  # fmt: skip
        drawn.add_annotation(
            text=f"{ceiling} {level / total:.0%}", xref="x domain", x=1, xanchor="left", xshift=4, y=level / GIB,
            yanchor=anchor, showarrow=False, font={"size": 11, "color": colour}, row=row, col=1,
        )  # fmt: skip
    drawn.update_yaxes(title_text=f"{plain(pool)}, GiB", range=[0, 1.02 * max(total / GIB, highest)], row=row, col=1)
