"""What the demo proved, from what was measured while it ran."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean

from rich.table import Table

from ...pipeline.samples import Sample
from ...pipeline.settings import Settings
from ...pipeline.words import GIB, Decision
from ..replies.generation import Reply

BUSY = 1.5
"""Runnable tasks for each core, from which the demo's own work is late: alone it keeps them at about one."""


@dataclass
class Log:
    """Everything of one run, in the order it came."""

    settings: Settings
    need: dict[str, int]
    samples: list[Sample] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    handed_over: list[tuple[Decision, float, float]] = field(default_factory=list)  # with end time and seconds
    replies: list[Reply] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def shifts(self, kind: str, urgency: str | None = None) -> list[tuple[Decision, float, float]]:
        return [s for s in self.handed_over if s[0].kind == kind and s[0].source and urgency in (None, s[0].urgency)]

    @property
    def peak(self) -> int:
        return max((p.used for s in self.samples if (p := s.pools["ram"]) is not None), default=0)


def lead_time(decision: Decision, samples: Sequence[Sample], need: int, ceiling: int) -> float | None:
    """Seconds from the decision to the first sample in which the rung that was left would have been over the ceiling.

    None when external use never went that high.
    """
    for sample in samples:
        pool = sample.pools["ram"]
        if sample.time >= decision.time and pool is not None and pool.external + need > ceiling:
            return sample.time - decision.time
    return None


def verdict(log: Log) -> list[str]:
    """What did not hold; empty when the demo showed all that it is for."""
    budget = log.settings.budget or 0
    checks = {
        "no planned downgrade happened": bool(log.shifts("downgrade", "planned")),
        "no immediate downgrade happened": bool(log.shifts("downgrade", "immediate")),
        "no upgrade happened": bool(log.shifts("upgrade")),
        f"replies were lost: {log.lost}": not log.lost,
        "no reply came": bool(log.replies),
        "the budget was exceeded": 0 < log.peak <= budget,
        "a planned downgrade ended after the ceiling was crossed": all(
            (lead := _lead(log, decision)) is None or end - decision.time <= lead
            for decision, end, _ in log.shifts("downgrade", "planned")
        ),
    }
    return [wrong for wrong, holds in checks.items() if not holds]


def remedy(log: Log) -> str:
    """What may help where something did not hold: a busy machine makes replies and shifts late."""
    loads = [sample.load for sample in log.samples if sample.load is not None]
    if loads and (load := fmean(loads)) > BUSY:
        return f"This machine was busy: {load:.1f} tasks wanted each core. Run it again when less else runs."
    return "Run it again; if it ends so once more, report it with what gearshift demo --recording run.jsonl keeps."


def _lead(log: Log, decision: Decision) -> float | None:
    need = log.need[decision.source or ""]
    return lead_time(decision, log.samples, need, int(log.settings.high * (log.settings.budget or 0)))


def table(log: Log) -> Table:
    made = Table(title="What happened", show_header=False)
    for decision, end, seconds in log.handed_over:
        if not decision.source:
            continue
        name = f"{decision.kind}, {decision.urgency}"
        text = f"{decision.source} to {decision.target} in {seconds:.1f} s"
        if decision.kind == "downgrade" and decision.urgency == "planned":
            lead = _lead(log, decision)
            text += f"; lead time {lead:.1f} s" if lead is not None else "; the ceiling was never reached"
            if lead is not None:
                early = lead - (end - decision.time)
                text += f", shifted {abs(early):.1f} s {'before' if early >= 0 else 'after'} the crossing"
        made.add_row(name, text)
    made.add_row("replies", f"{len(log.replies)} given, {len(log.lost)} lost")
    for rung in log.need:
        times = [r.seconds for r in log.replies if r.rungs == (rung,)]
        if times:
            made.add_row(f"time per reply on {rung}", f"{sum(times) / len(times):.1f} s (mean of {len(times)})")
    handed = [r for r in log.replies if len(r.rungs) > 1]
    if handed:
        made.add_row("replies written by two rungs", str(len(handed)))
    budget = log.settings.budget or 1
    made.add_row("peak use of the budget", f"{log.peak / GIB:.2f} of {budget / GIB:.2f} GiB ({log.peak / budget:.0%})")
    return made
