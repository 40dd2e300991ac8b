"""Where an outlook expects use to go, as a figure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..outlook import Outlook, PoolOutlook
from ..settings import Settings
from ..words import GIB
from .curves import Edges, ceilings, curves
from .palette import DARK, LIGHT
from .styling import rows_of, styled

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_POOL = 230  # pixels of height
_NOW = 0.1  # of what is ahead, for what is now
_STEPS = 60


def outlook_figure(
    found: Outlook,
    *,
    settings: Settings | None = None,
    pools: str | Sequence[str] | None = None,
    dark: bool = False,
    width: int | None = None,
    height: int | None = None,
) -> "Figure":
    """An outlook as a plotly Figure, in GiB, from now on to as far ahead as growth looks.

    For each pool, left of 0 what is in use now: by others, and by own models on top of them. From there on its
    forecast, own models staying as they are, and dashed the bound on it, to be read against the ceilings.

    Args:
        settings: for the ceilings; `Settings()` by default. The others as those of `figure`.

    Raises:
        ValueError: where no pool could be read, or none of that name.
    """
    shown = _chosen(found, pools)
    palette, ceiling = DARK if dark else LIGHT, settings or Settings()
    drawn = rows_of([_POOL] * len(shown), height)
    for row, (name, pool) in enumerate(shown.items(), 1):
        x, edges = _ahead(found, pool)
        drawn.add_traces(curves(x, edges, palette), rows=row, cols=1)
        highest = max(reach for reach in edges["bound"] if reach is not None)
        ceilings(drawn, ceiling, name, pool.pool.total, highest, palette, row)
        at: Any = {"row": row, "col": 1}
        drawn.add_vrect(0, found.grow, fillcolor=palette.paper, opacity=0.4, line_width=0, **at)
        for time, label in ((0.0, "now"), (found.shrink, "to shrink"), (found.grow, "to grow")):
            drawn.add_vline(
                time, **at, line={"color": palette.ink, "width": 1, "dash": "dot"}, opacity=0.6,
                annotation={"text": label, "yanchor": "top", "font": {"size": 11}},
                annotation_position="top left" if time else "top right",
            )  # fmt: skip
    styled(drawn, palette, width=width)
    drawn.update_xaxes(range=[-_NOW * found.grow, found.grow], ticksuffix=" s")
    drawn.update_xaxes(title_text="from now", row=len(shown), col=1)
    return drawn


def _chosen(found: Outlook, pools: str | Sequence[str] | None) -> dict[str, PoolOutlook]:
    read = {name: pool for name, pool in found.pools.items() if pool is not None}
    names = list(read) if pools is None else [pools] if isinstance(pools, str) else list(pools)
    for name in names:
        if name not in read:
            why = "could not be read" if name in found.pools else "is not there"
            raise ValueError(f"outlook: pool {name!r} {why}; there are {', '.join(read) or 'none'}")
    if not names:
        raise ValueError(f"outlook: no pool to draw; of {', '.join(found.pools) or 'none'}, {len(read)} could be read")
    return {name: read[name] for name in names}


def _ahead(found: Outlook, pool: PoolOutlook) -> tuple[list[float], Edges]:
    own = min(pool.pool.own, pool.pool.used)
    ahead = sorted({*(found.grow * i / _STEPS for i in range(1, _STEPS + 1)), found.shrink})
    external = [float(pool.external)] * 2 + [pool.base + pool.slope * time for time in ahead]
    bound = [None, float(pool.external), *(pool.bound(time) for time in ahead)]
    edges: dict[str, list[Any]] = {
        "external": [size / GIB for size in external],
        "used": [(size + own) / GIB for size in external],
        "bound": [None if size is None else (size + own) / GIB for size in bound],
    }
    return [-_NOW * found.grow, 0.0, *ahead], edges
