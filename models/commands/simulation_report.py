"""What `gearshift simulate` shows: time by rung, what went wrong, a timeline and the decisions."""

import json
import math
from collections.abc import Sequence

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from ...pipeline.simulation.result import Moment, Simulation
from ...pipeline.simulation.simulate import simulate
from ...pipeline.words import duration
from .plain import plain
from .simulation_input import Given

_MOST = 60  # decisions that people are shown
_BARS, _ASCII_BARS = " ▁▂▃▄▅▆▇█", " .:-=+*#%"


def run(given: Given) -> Simulation:
    """The simulation that was asked for."""
    return simulate(given.recording, given.ladder, given.settings, load_time=given.load_time)


def show(given: Given, found: Simulation) -> None:
    """Print it for people."""
    console = Console(highlight=False)
    start = given.recording.samples[0].time
    console.print(plain(headline(given)), "", sep="\n")
    console.print(_rungs(given, found), "", sep="\n")
    for line in _numbers(found):
        console.print(plain(line))
    console.print("", *(plain(line, no_wrap=True) for line in _timeline(console, given, found)), "", sep="\n")
    if not found.decisions:
        console.print(plain("Nothing was decided: no reading allowed any rung to be loaded."))
    sentences = Table.grid(padding=(0, 2))
    sentences.add_column(justify="right", no_wrap=True)
    for decision in found.decisions[:_MOST]:
        sentences.add_row(duration(decision.time - start), plain(decision.explain()))
    console.print(sentences)
    if len(found.decisions) > _MOST:
        console.print(plain(f"and {len(found.decisions) - _MOST} more; --json has them all"))


def as_json(given: Given, found: Simulation) -> str:
    """One object, without the timeline. Bytes, fractions, seconds; times are those of the samples."""
    shifts = [
        {"source": s.decision.source, "target": s.decision.target, "urgency": s.decision.urgency,
         "decided": s.decision.time, "began": s.began, "ended": s.ended, "lead": s.lead}
        for s in found.shifts
    ]  # fmt: skip
    told = {
        "recording": str(given.recording.path),
        "format": given.recording.format,
        "samples": len(given.recording),
        "start": given.recording.samples[0].time,
        "policy": found.policy,
        "ladder": [msgspec.to_builtins(rung) for rung in given.ladder],
        "settings": msgspec.to_builtins(given.settings),
        "load_time": given.load_time,
        "seconds": found.seconds,
        "time_by_rung": [{"rung": name, "seconds": seconds} for name, seconds in found.time_by_rung.items()],
        **{key: getattr(found, key) for key in (
            "mean_quality", "effective_quality", "above_seconds", "overcommit_seconds", "kills",
        )},
        "leads": list(found.leads),
        "shifts": shifts,
        "decisions": [{**msgspec.to_builtins(d), "explain": d.explain()} for d in found.decisions],
    }  # fmt: skip
    return json.dumps(told, indent=2)


def headline(given: Given) -> str:
    """The recording, what it is played against, and the settings that matter most."""
    s, samples = given.settings, given.recording.samples
    loads = "at 1.5 GB/s" if given.load_time is None else f"in {given.load_time:g} s"
    held = f"{s.stabilisation:g} s" if isinstance(s.stabilisation, float | int) else str(s.stabilisation)
    return (
        f"{given.recording.path.name}: {len(samples)} samples over {duration(samples[-1].time - samples[0].time)}\n"
        f"Ladder: {len(given.ladder)} rungs, loaded {loads}\n"
        f"Ceilings: high {s.high:.3g}, low {s.low:.3g}, critical {s.critical:.3g} of a pool\n"
        f"Times: every {s.interval:g} s, window {s.window:g} s, horizon {s.horizon:g} s, stabilisation {held}"
    )


def _rungs(given: Given, found: Simulation) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("#", justify="right")
    table.add_column("answered by", overflow="fold")
    for title in ("quality", "time", "share"):
        table.add_column(title, justify="right", no_wrap=True)
    rows = [(str(i), rung.name, f"{rung.quality:g}", rung.name) for i, rung in enumerate(given.ladder, 1)]
    for mark, label, quality, name in [*rows, ("-", "nothing", "", None)]:
        seconds = found.time_by_rung[name]
        share = f"{seconds / found.seconds:.1%}" if found.seconds else ""
        table.add_row(mark, plain(label), quality, duration(seconds), share)
    return table


def _numbers(found: Simulation) -> list[str]:
    leads = sorted(found.leads)
    middle = f", half of them over {duration(leads[len(leads) // 2])}" if len(leads) > 2 else ""
    ahead = f"{', '.join(duration(lead) for lead in found.leads[:6])}{middle}" if leads else "none"
    return [
        f"Quality: {found.mean_quality:.3f} on average, {found.effective_quality:.3f} if 0 while above the ceiling",
        f"Above the ceiling: {duration(found.above_seconds)}",
        f"Out of memory: {duration(found.overcommit_seconds)}; models killed: {found.kills}",
        f"Shifts after the first load: {len(found.shifts)}",
        f"Planned shifts before a shortage came ahead by: {ahead}",
    ]


def _timeline(console: Console, given: Given, found: Simulation) -> list[str]:
    """Use of each pool that the ladder needs, and what answers, by its number: a column for each stretch of time."""
    pools = list(dict.fromkeys(pool for rung in given.ladder for pool in rung.need))
    labels = [*(name for pool in pools for name in (f"{pool} others", f"{pool} all")), "answered by"]
    margin = max(map(len, labels)) + 2
    columns = _columns(found.timeline, max(10, min(100, console.width) - margin - 1))
    totals = {n: p.total for s in given.recording.samples for n, p in s.pools.items() if p is not None}
    bars = _ASCII_BARS if console.options.ascii_only else _BARS
    ranks = {rung.name: str(i) if i < 10 else "+" for i, rung in enumerate(given.ladder, 1)}
    rows: list[str] = []
    for pool in pools:
        rows.append("".join(_bar(bars, max(m.external.get(pool, 0) for m in c) / totals[pool]) for c in columns))
        rows.append("".join(_bar(bars, max(m.used.get(pool, 0) for m in c) / totals[pool]) for c in columns))
    rows.append("".join(_usual([ranks[m.rung] if m.serving and m.rung else "-" for m in c]) for c in columns))
    return [f"{label:<{margin}}{row}" for label, row in zip(labels, rows, strict=True)]


def _columns(timeline: Sequence[Moment], width: int) -> list[list[Moment]]:
    """The moments by stretches of equal length; a stretch without any has the last one before it."""
    start, span = timeline[0].time, timeline[-1].time - timeline[0].time
    columns: list[list[Moment]] = [[] for _ in range(min(width, len(timeline)))]
    for found in timeline:
        at = int((found.time - start) / span * len(columns)) if span > 0 else 0
        columns[min(at, len(columns) - 1)].append(found)
    for i, column in enumerate(columns):
        if not column:
            column.append(columns[i - 1][-1])
    return columns


def _bar(bars: str, share: float) -> str:
    """Empty for nothing at all, and full only from a whole pool on."""
    return bars[min(len(bars) - 1, math.ceil(share * (len(bars) - 2)) if share < 1 else len(bars) - 1)]


def _usual(marks: list[str]) -> str:
    return max(dict.fromkeys(marks), key=marks.count)
