"""Recordings, simulations and what was seen at a moment, as fragments of HTML."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..loading import Recording
from ..outlook import Outlook
from ..samples import Pool, Sample
from ..simulation.result import Simulation
from ..words import Decision, counted, gib
from .html import escape, fragment, listing, paragraph, sparkline, table
from .timeline import Timeline
from .units import label, told

_BESIDE = ("cpu", "load", "swap_used", "swap_in", "alarm", "interval", "wall", "pressure", "devices", "missing")


def sample_html(found: Sample) -> str:
    """Pools as a table, and below it what else was read."""
    rows = [
        (name, "not read")
        if pool is None
        else (
            name,
            gib(pool.used),
            gib(pool.total),
            told(pool.used / pool.total, "full"),
            gib(pool.own),
            gib(pool.external),
        )
        for name, pool in found.pools.items()
    ]
    beside = {"time": found.time, **{name: getattr(found, name) for name in _BESIDE}}
    more = [
        (label(name), told(value, name)) for name, value in beside.items() if value or value is False or name == "time"
    ]
    return fragment("Sample", table(rows, ("pool", "in use", "of", "share", "own", "others")), table(more))


def outlook_html(found: Outlook) -> str:
    """Pools as a table: what is in use, and what others are expected not to exceed."""
    heads = (
        "pool",
        "in use",
        "of",
        "own",
        "others",
        "growing",
        f"may reach in {found.shrink:g} s",
        f"in {found.grow:g} s",
    )
    rows = [
        (name, "not read")
        if pool is None
        else (
            name, gib(pool.pool.used), gib(pool.pool.total), gib(pool.pool.own), gib(pool.external),
            told(pool.slope, "slope") if pool.slope else "no",
            gib(pool.bound(found.shrink)), gib(pool.bound(found.grow)),
        )
        for name, pool in found.pools.items()
    ]  # fmt: skip
    return fragment(f"Outlook at {told(found.time, 'time')}", table(rows, heads))


def recording_html(found: Recording) -> str:
    """What it holds, a line of use for each pool, and what was decided."""
    times = [sample.time for sample in found.samples]
    pools = [sample.pools for sample in found.samples]
    return _story(repr(found).strip("<>"), times, _uses(pools), found.decisions)


def simulation_html(found: Simulation) -> str:
    """How it went, a line of use for each pool, and what was decided."""
    summary = (
        f"quality {found.effective_quality:.3f}, {counted(len(found.shifts), 'shift')}, "
        f"{counted(found.kills, 'model')} killed, {found.above_seconds:.1f} s above the ceiling"
    )
    title = f"Simulation of {found.policy} over {found.seconds:.1f} s"
    times = [moment.time for moment in found.timeline]
    return _story(title, times, _uses([moment.pools for moment in found.timeline]), found.decisions, summary)


def timeline_html(found: Timeline) -> str:
    """A line of use for each pool, and what was decided."""
    span = found.times[-1] - found.times[0] if found.times else 0.0
    uses = {
        name: Use([None if a is None or b is None else a + b for a, b in zip(t.external, t.own, strict=True)], t.total)
        for name, t in found.tracks.items()
    }
    title = f"Timeline of {found.name}: {len(found.times)} samples over {span:.1f} s"
    return _story(
        title,
        found.times,
        uses,
        found.decisions,
        f"{counted(len(found.shifts), 'shift')}, {counted(len(found.marks), 'mark')}",
    )


class Use(NamedTuple):
    """Bytes of a pool in use at each time, None where it was not read; total: bytes."""

    used: list[int | None]
    total: int


def _uses(pools: Sequence[dict[str, Pool | None]] | Sequence[dict[str, Pool]]) -> dict[str, Use]:
    found: dict[str, Use] = {}
    for name in dict.fromkeys(name for seen in pools for name in seen):
        read = [seen.get(name) for seen in pools]
        totals = [pool.total for pool in read if pool is not None]
        if totals:
            found[name] = Use([None if pool is None else pool.used for pool in read], max(totals))
    return found


def _story(
    title: str, times: Sequence[float], uses: dict[str, Use], decisions: Iterable[Decision], summary: str = ""
) -> str:
    rows = []
    for name, use in uses.items():
        most = max(used for used in use.used if used is not None)
        words = f"{name}: at most {gib(most)} of {gib(use.total)} in use"
        line = sparkline(times, use.used, max(use.total, most), words)
        rows.append(f"<div>{line} {escape(words)}</div>")
    told_ = [decision.explain() for decision in decisions]
    return fragment(title, paragraph(summary) if summary else "", *rows, listing(told_))
