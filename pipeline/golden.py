"""Decisions in a file that people read, and how others differ from them."""

import math
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import msgspec

from .reading import KEPT, RefusedError, read_whole
from .words import Decision, Reason

TOLERANCE = 1e-9  # relative; absolute where a number is near 0
_MOST_TOLD = 10


class GoldenError(RefusedError):
    """A file that holds no golden decisions: says which and why."""


class Line(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A decision as a golden file has it. `explain` is there for the reader and is not compared."""

    time: float
    kind: str
    source: str | None
    target: str | None
    urgency: str
    reason: Reason
    explain: str = ""


def lines_of(decisions: Iterable[Decision]) -> list[Line]:
    """Raises TypeError for anything but decisions."""
    lines = []
    for d in decisions:
        if not isinstance(d, Decision):
            raise TypeError(f"golden decisions must be Decision objects, got {type(d).__name__}")
        lines.append(Line(d.time, d.kind, d.source, d.target, d.urgency, d.reason, d.explain()))
    return lines


def golden_text(lines: Sequence[Line]) -> str:
    """A JSON array with a decision on each line, its fields always in the same order."""
    rows = ",\n".join(msgspec.json.format(msgspec.json.encode(line), indent=0).decode() for line in lines)
    return f"[\n{rows}\n]\n" if rows else "[\n]\n"


def read_golden(path: Path) -> list[Line]:
    """Raises GoldenError, OSError."""
    try:
        return msgspec.json.decode(read_whole(path, KEPT), type=list[Line])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise GoldenError(f"{path}: not a file of golden decisions: {error}") from None


def differences(stored: Sequence[Line], came: Sequence[Line]) -> list[str]:
    """A paragraph for each decision that differs; empty where all agree.

    Numbers agree within one part in 10⁹, everything else exactly. A decision too many or too few is told as such, and
    those after it are compared with their like.
    """
    matcher = SequenceMatcher(None, [_key(line) for line in stored], [_key(line) for line in came], autojunk=False)
    told: list[str] = []
    for _, i, i_end, j, j_end in matcher.get_opcodes():
        both = min(i_end - i, j_end - j)
        for k in range(both):
            told += _changed(i + k, stored[i + k], j + k, came[j + k])
        told += [_lone("is stored, but did not come", k, stored[k], "stored") for k in range(i + both, i_end)]
        told += [_lone("came, but is not stored", k, came[k], "came") for k in range(j + both, j_end)]
    return told


def report(path: Path, stored: Sequence[Line], came: Sequence[Line]) -> str:
    """What differs, as a text; empty where nothing does."""
    told = differences(stored, came)
    if not told:
        return ""
    differ = "1 decision differs" if len(told) == 1 else f"{len(told)} decisions differ"
    head = f"{path}: {differ} ({len(stored)} stored, {len(came)} came)"
    more = [f"and {len(told) - _MOST_TOLD} more"] if len(told) > _MOST_TOLD else []
    return "\n".join([head, *told[:_MOST_TOLD], *more])


def _key(line: Line) -> tuple[Any, ...]:
    return round(line.time, 6), line.kind, line.source, line.target, line.urgency


def _changed(i: int, stored: Line, j: int, came: Line) -> Iterator[str]:
    fields = [
        f"    {name}: {old!r} is stored, {new!r} came"
        for (name, old), (_, new) in zip(_fields(stored), _fields(came), strict=True)
        if not _same(old, new)
    ]
    if fields:
        as_number = f" (now {j + 1})" if i != j else ""
        head = f"decision {i + 1}{as_number}, at {stored.time:g} s"
        yield "\n".join([head, *fields, f"    stored: {stored.explain}", f"    came:   {came.explain}"])


def _lone(what: str, at: int, line: Line, label: str) -> str:
    return f"decision {at + 1}, at {line.time:g} s, {what}\n    {label}: {line.explain}"


def _fields(line: Line) -> Iterator[tuple[str, Any]]:
    for name in line.__struct_fields__:
        if name == "reason":
            yield from ((f"reason.{inner}", getattr(line.reason, inner)) for inner in line.reason.__struct_fields__)
        elif name != "explain":
            yield name, getattr(line, name)


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, int | float) and isinstance(new, int | float):
        return math.isclose(old, new, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return old == new
