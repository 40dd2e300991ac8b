"""A timeline as the page's script takes it: numbers packed as base64, times in milliseconds from the first sample."""

import base64
import math
import sys
from array import array
from collections.abc import Iterable, Sequence
from typing import Any

from ..palette import DARK, LIGHT
from ..timeline import Stretch, Timeline, Track
from .histogram import histogram


def embedded(found: Timeline, rivals: Sequence[tuple[str, list[Stretch]]]) -> dict[str, Any]:
    """For JSON. rivals: names, and what they had loaded. Samples are put in the order of their times."""
    order = sorted(range(len(found.times)), key=found.times.__getitem__)
    times = [found.times[i] for i in order]
    names = found.rung_names
    start, ranks = times[0], {name: rank for rank, name in enumerate(names)}

    def at(time: float) -> int:
        return round((time - start) * 1000)

    def bands(stretches: Iterable[Stretch]) -> list[list[Any]]:
        return [[at(s.begin), at(s.end), ranks.get(s.rung or "", -1), s.state] for s in stretches]

    moments = [at(time) for time in times]
    return {
        "wall": found.wall * 1000,
        "interval": found.settings.interval * 1000,
        "silence": found.settings.silence * 1000,
        "times": _steps(moments),
        "rungs": names,
        "bands": bands(found.stretches) if names else [],
        "decisions": [
            {"at": at(d.time), "kind": d.kind, "pool": d.reason.pool, "text": d.explain()} for d in found.decisions
        ],
        "marks": [{"at": at(mark.time), "text": mark.text} for mark in found.marks],
        "pools": [_pool(name, track, order, found) for name, track in found.tracks.items()],
        "rivals": [{"name": name, "bands": bands(stretches)} for name, stretches in rivals],
        "palettes": {"light": LIGHT._asdict(), "dark": DARK._asdict()},
    }


def _pool(name: str, track: Track, order: Sequence[int], found: Timeline) -> dict[str, Any]:
    width, counts = histogram(track.misses.errors)
    total = track.total
    return {
        "name": name,
        "total": total,
        **found.settings.ceilings(name, total),
        "external": _floats(track.external[i] for i in order),
        "own": _floats(track.own[i] for i in order),
        "bound": _floats(track.bound[i] for i in order),
        "misses": {"width": width, "bins": list(counts), "counts": list(counts.values())},
    }


def _floats(values: Iterable[float | None]) -> str:
    return _packed(array("f", [math.nan if value is None else value for value in values]))


def _steps(moments: Sequence[int]) -> dict[str, str]:
    """Each less the one before it; as doubles where one takes more than 32 bits, which is 49 days."""
    steps = [later - earlier for earlier, later in zip([moments[0], *moments], moments, strict=False)]
    kind = "I" if max(steps) < 2**32 else "d"
    return {"kind": kind, "data": _packed(array(kind, steps))}


def _packed(numbers: "array[Any]") -> str:
    if sys.byteorder == "big":
        numbers.byteswap()
    return base64.b64encode(numbers.tobytes()).decode("ascii")
