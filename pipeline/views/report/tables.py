"""The parts of the page that are text: figures, shifts, decisions, misses, ladder and settings."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import msgspec

from ...simulation.result import Shift, Simulation
from ...words import duration, gib
from ..timeline import Timeline

KINDS = {"upgrade": ("▲", "shift up"), "downgrade": ("▼", "shift down"), "shed": ("■", "unload")}


def shifts(found: Timeline) -> str:
    """A row for each, with a button that shows it in the charts."""
    if not found.shifts:
        return "<p>No shift was carried out.</p>"
    numbers = {id(decision): number for number, decision in enumerate(found.decisions)}
    equal = {decision: number for number, decision in enumerate(found.decisions)}
    rows = [_shift(found, shift, numbers.get(id(shift.decision), equal.get(shift.decision))) for shift in found.shifts]
    heads = ("Decided", "From", "To", "Urgency", "Took", "Lead time")
    return _table("Shifts, with how long before its shortage each planned downgrade was decided", heads, rows, (4, 5))


def _shift(found: Timeline, shift: Shift, number: int | None) -> list[str]:
    decision = shift.decision
    lead = "–" if shift.lead is None else duration(shift.lead)
    return [
        _when(found, decision.time, number),
        escape(decision.source or "nothing"),
        escape(decision.target or "nothing"),
        escape(decision.urgency),
        duration(shift.ended - shift.began),
        lead,
    ]


def decisions(found: Timeline) -> str:
    """All of them with their reasons."""
    if not found.decisions:
        return "<p>Nothing was decided.</p>"
    items = (
        f'<li id="decision-{number}"><span class="when">{_when(found, decision.time, number)}</span>'
        f" <span>{sign(decision.kind)} {escape(decision.explain())}</span></li>"
        for number, decision in enumerate(found.decisions)
    )
    return f'<ol class="decisions">{"".join(items)}</ol>'


def sign(kind: str) -> str:
    """That of a kind of decision, as in the charts."""
    return f'<span class="sign {kind}" aria-hidden="true">{KINDS[kind][0]}</span>'


def marks(found: Timeline) -> str:
    """What somebody remarked while it was recorded; nothing where nobody did."""
    if not found.marks:
        return ""
    items = (
        f'<li><span class="when">{_when(found, m.time, None)}</span> <span>{escape(m.text)}</span></li>'
        for m in found.marks
    )
    return f'<section><h2>Marks</h2><ol class="decisions">{"".join(items)}</ol></section>'


def misses(found: Timeline, pool: str) -> str:
    """How often the bound of a pool was exceeded, against how often it may be."""
    told = found.tracks[pool].misses
    if told.share is None:
        return f"No bound of {escape(pool)} has fallen due: the recording is too short to tell."
    return (
        f"In {escape(pool)}, others held more than the bound in {told.share:.1%} of {len(told.errors):,} forecasts;"
        f" {told.alpha:.0%} may be exceeded. The outermost bars hold all that is beyond them."
    )


def rivals(found: Sequence[Simulation]) -> str:
    """Their figures, one row each."""
    rows = [
        [
            f'<th scope="row">{escape(one.policy)}</th>',
            f"{one.effective_quality:.3f}",
            str(len(one.shifts)),
            str(one.kills),
            duration(one.above_seconds),
        ]
        for one in found
    ]
    heads = ("Policy", "Quality", "Shifts", "Kills", "Above the ceiling")
    return _table("Quality: the mean over time, 0 while nothing answers or use is too high", heads, rows, (1, 2, 3, 4))


def ladder(found: Timeline) -> str:
    """The rungs, best first; nothing where none is known."""
    if not found.ladder:
        return "<p>No ladder is known, so only memory is shown.</p>"
    rows = [
        [
            f'<th scope="row"><i class="key band" style="--c:var(--rung-{rank})"></i>{escape(rung.name)}</th>',
            ", ".join(f"{gib(need)} in {escape(pool)}" for pool, need in rung.need.items()) or "–",
            f"{rung.quality:g}",
        ]
        for rank, rung in enumerate(found.ladder)
    ]
    return _table("Ladder, best first", ("Rung", "Needs", "Quality"), rows, (2,))


def settings(found: Timeline) -> str:
    """Every setting with its value, in seconds, bytes and fractions as in Python."""
    told: dict[str, Any] = msgspec.to_builtins(found.settings)
    rows = (f"<div><dt>{escape(key)}</dt><dd>{escape(_value(value))}</dd></div>" for key, value in told.items())
    return f'<h3>Settings, in seconds, bytes and fractions</h3><dl class="values">{"".join(rows)}</dl>'


def _value(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else "none" if value in (None, {}) else str(value)


def _when(found: Timeline, time: float, number: int | None) -> str:
    after = time - min(found.times)
    link = "" if number is None else f' data-decision="{number}"'
    return f'<button type="button" class="go" data-at="{round(after * 1000)}"{link}>{duration(after)}</button>'


def _table(caption: str, heads: Iterable[str], rows: Iterable[Sequence[str]], numeric: Sequence[int]) -> str:
    """Cells are HTML. numeric: columns that stand flush right."""
    head = "".join(f'<th scope="col"{_flush(i in numeric)}>{escape(text)}</th>' for i, text in enumerate(heads))
    body = "".join(
        "<tr>"
        + "".join(
            cell if cell.startswith("<th") else f"<td{_flush(i in numeric)}>{cell}</td>" for i, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}"><table><caption>{escape(caption)}'
        f"</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _flush(numeric: bool) -> str:
    return ' class="number"' if numeric else ""
