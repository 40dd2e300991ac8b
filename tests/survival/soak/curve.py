"""Memory over time, as text."""

from collections.abc import Sequence

from gearshift.pipeline.watch.columns import Column
from gearshift.pipeline.watch.plot import MARGIN, plot
from gearshift.pipeline.watch.spans import COLOURLESS

_ROWS, _WIDTH = 6, 100
_SCALE = 1 << 10  # the plot's labels are in GiB: so they read in MiB
_SPAN = 64 << 20  # bytes, of which the plot spans a twenty-fifth at least


def curve(title: str, points: Sequence[tuple[float, int, int]]) -> str:
    """points: when, bytes of the app, and bytes of the app with its workers. Each column shows the most of its time."""
    begin, end = points[0][0], points[-1][0]
    columns: list[Column | None] = [None] * (_WIDTH - MARGIN)
    for at, app, whole in points:
        place = min(len(columns) - 1, int((at - begin) / max(end - begin, 1e-9) * len(columns)))
        here = columns[place]
        least = app * _SCALE if here is None else min(here.least, app * _SCALE)
        most = (app * _SCALE, whole * _SCALE) if here is None else (
            max(here.external, app * _SCALE), max(here.used, whole * _SCALE))  # fmt: skip
        columns[place] = Column(*most, 0.0, least)
    lines = plot(columns, _SPAN * _SCALE, 0.0, _ROWS, COLOURLESS)
    foot = f"{'':{MARGIN}}{begin:,.0f}{f'{end:,.0f}':>{_WIDTH - MARGIN - len(f'{begin:,.0f}')}}"
    return "\n".join([title, *("".join(text for text, _ in line) for line in lines), foot])
