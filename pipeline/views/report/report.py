"""Writes the page: text, data, styles, scripts and plotly's own script in one file."""

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

import msgspec

from ...loading import Recording
from ...reading import opened
from ...replacing import replace_file
from ...settings import Settings
from ...simulation.result import Simulation
from ...words import counted, duration, gib
from ..clock import dated
from ..palette import DARK, LIGHT, Palette
from ..timeline import Timeline, stretches, timeline
from . import tables
from .embedding import embedded

_HERE = Path(__file__).parent
_SCRIPTS = ("data.js", "thinning.js", "charts.js", "drawing.js", "controls.js", "gestures.js")
_GENERATOR = b'<meta name="generator" content="gearshift report">'
_HEAD = 1024  # bytes in which a report of ours says that it is one


def write_report(
    found: Recording | Simulation,
    path: str | Path,
    *,
    settings: Settings | None = None,
    recording: Recording | None = None,
    compare: Sequence[Simulation] = (),
    title: str | None = None,
    force: bool = False,
) -> Path:
    """Write what happened to one page of HTML that needs no network, and say where it is.

    Args:
        found: a recording, with what was decided while it was made, or a simulation.
        path: of the page. A report that is there already is replaced, at once when the new one is complete.
        settings: for the ceilings and bounds of a recording; by default its own. A simulation has its own.
        recording: that a simulation was made of, for its time of day, its marks and its name.
        compare: further simulations of the same samples, such as of `gearshift.pipeline.simulation.rivals`.
        title: by default the name of the recording.
        force: replace a file that is no report, too.

    Raises:
        FileExistsError: for a file that is no report. ValueError: for a recording without samples, or with a decision
        of no known kind, or where `settings` are given for a simulation. OSError.
    """
    target = Path(path)
    check_target(target, force=force)
    if isinstance(found, Simulation) and settings is not None:
        raise ValueError("settings: a simulation has its own; simulate again with others, or leave them out")
    seen = timeline(found) if isinstance(found, Simulation) else timeline(found, settings)
    if not seen.times:
        raise ValueError(f"{seen.name}: holds no sample, so there is nothing to show; record for a while longer")
    for decision in seen.decisions:
        if decision.kind not in tables.KINDS:
            kinds = ", ".join(tables.KINDS)
            raise ValueError(f"{seen.name}: a decision of the kind {decision.kind!r}; the kinds are {kinds}")
    if recording is not None and isinstance(found, Simulation):
        wall = next((dated(sample.wall) for sample in recording.samples if sample.time == seen.times[0]), 0.0)
        seen = msgspec.structs.replace(
            seen, name=f"{recording.path.name}, simulated", wall=wall, marks=list(recording.marks)
        )
    others = [found, *compare] if isinstance(found, Simulation) and compare else list(compare)
    name = seen.name if isinstance(found, Simulation) else found.title
    replace_file(target.resolve(), page(seen, others, title or name).encode())
    return target


def check_target(path: Path, *, force: bool = False) -> None:
    """Whether a report may be written there. Raises FileExistsError, and other OSError, naming the remedy."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent} is not a folder; make it, or name another")
    try:
        path.stat()
    except FileNotFoundError:
        return
    if force:
        return
    with opened(path) as target:
        ours = _GENERATOR in target.read(_HEAD)
    if not ours:
        raise FileExistsError(f"{path} is there and no report of gearshift; name another file, or force it")


def page(found: Timeline, rivals: Sequence[Simulation], title: str) -> str:
    """The page as text."""
    bands = [(one.policy, stretches(one.residencies, found.times)) for one in rivals]
    data = json.dumps(embedded(found, bands), separators=(",", ":"), allow_nan=False)
    parts = {
        "title": escape(title),
        "summary": _summary(found),
        "style": f"{_colours(found)}\n{_text('report.css')}",
        "pools": "".join(_pool(found, number, pool) for number, pool in enumerate(found.tracks)),
        "shifts": tables.shifts(found),
        "decisions": tables.decisions(found),
        "marks": tables.marks(found),
        "rivals": _rivals(rivals),
        "misses": "".join(_misses(found, number, pool) for number, pool in enumerate(found.tracks)),
        "ladder": tables.ladder(found),
        "settings": tables.settings(found),
        "data": data.replace("<", "\\u003c"),
        "plotly": _text("vendor/plotly-basic.min.js"),
        "script": "\n".join(_text(name) for name in _SCRIPTS),
    }
    return Template(_text("report.html")).substitute(parts)


def _text(name: str) -> str:
    return (_HERE / name).read_text("utf-8")


def _summary(found: Timeline) -> str:
    span = duration(max(found.times) - min(found.times))
    pools = ", ".join(f"{escape(name)} of {gib(track.total)}" for name, track in found.tracks.items())
    told = f"{counted(len(found.decisions), 'decision')} and {counted(len(found.shifts), 'shift')}"
    began = '<span id="began"></span>' if found.wall else ""
    return f"{len(found.times):,} samples over {span}{began}; {pools or 'no pool that was read'}; {told}."


def _pool(found: Timeline, number: int, pool: str) -> str:
    limit = found.settings
    rungs = "".join(
        f'<li><i class="key band" style="--c:var(--rung-{rank})"></i>{escape(name)}</li>'
        for rank, name in enumerate(found.rung_names)
    )
    nothing = '<li><i class="key band" style="--c:var(--nothing)"></i>nothing loaded</li>' if rungs else ""
    return (
        f'<section class="pool"><h2>{escape(pool)}</h2><p class="readout" id="readout-{number}"></p>'
        f'<div class="chart" id="pool-{number}" tabindex="0" role="figure" aria-describedby="keys"'
        f' aria-label="Memory of {escape(pool)} over time"></div><ul class="legend">'
        '<li><i class="key" style="--c:var(--external)"></i>others</li>'
        '<li><i class="key" style="--c:var(--own)"></i>own models, on top</li>'
        '<li><i class="key line" style="--c:var(--bound)"></i>forecast bound for others</li>'
        f'<li><i class="key line" style="--c:var(--ink)"></i>all of it, {gib(found.tracks[pool].total)}</li>'
        f'<li><i class="key dash" style="--c:var(--critical)"></i>critical {limit.critical:.0%}</li>'
        f'<li><i class="key dash" style="--c:var(--high)"></i>ceiling {limit.high:.0%}</li>'
        f'<li><i class="key dots" style="--c:var(--low)"></i>grow below {limit.low:.0%}</li>'
        f"{rungs}{nothing}{_signs(found)}</ul></section>"
    )


def _signs(found: Timeline) -> str:
    """What the signs of decisions and marks mean; of those only that there are."""
    kinds = [kind for kind in tables.KINDS if any(decision.kind == kind for decision in found.decisions)]
    told = "".join(f"<li>{tables.sign(kind)}{tables.KINDS[kind][1]}</li>" for kind in kinds)
    marks = '<li><i class="key dots" style="--c:var(--low)"></i>upright: a mark</li>' if found.marks else ""
    return told + marks


def _misses(found: Timeline, number: int, pool: str) -> str:
    chart = f'<div class="misses" id="misses-{number}" role="img" aria-label="Histogram of misses"></div>'
    return f"<p>{tables.misses(found, pool)}</p>{chart if found.tracks[pool].misses.errors else ''}"


def _rivals(found: Sequence[Simulation]) -> str:
    if not found:
        return ""
    return (
        '<section><h2>Compared</h2><div class="chart" id="rivals" tabindex="0" role="figure" aria-describedby="keys"'
        f' aria-label="What each policy had loaded over time"></div>{tables.rivals(found)}</section>'
    )


def _colours(found: Timeline) -> str:
    """The palettes as CSS variables: light, dark where the reader asks the system or the page for it."""
    dark = _variables(DARK, found)
    return (
        f":root{{{_variables(LIGHT, found)}}}\n:root[data-theme=dark]{{{dark}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}"
    )


def _variables(palette: Palette, found: Timeline) -> str:
    plain = {name: colour for name, colour in palette._asdict().items() if name != "rungs"}
    rungs = {f"rung-{rank}": palette.rung(rank) for rank in range(len(found.rung_names))}
    return "".join(f"--{name}:{colour};" for name, colour in {**plain, **rungs}.items())
