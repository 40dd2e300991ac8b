"""`sadf -d FILE -- -r -u -S`, with -W, -q, -h, -U and others as well: columns between semicolons.

Each kind of number stands in a section of its own, with a `#` header; sections are joined by time. The total of
memory is derived (see `sysstat.total_of`), or named by `totals={"ram": bytes}`.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .asked import Asked
from .fields import Row
from .quantities import number
from .sadf_json import PAGE
from .source import BadLine, Line, Source
from .sysstat import KIB, Memory, added, busy, ram, total_of
from .times import moment, wall

NAME = "sadf -d"

_HEADER = re.compile(r"#\s*hostname;interval;timestamp;")
_MARK = re.compile(r"[^;]*;-?\d+;([^;]+);(LINUX-RESTART.*|COM\b.*)")
_MEMORY = {
    "free": "kbmemfree", "avail": "kbavail", "used": "kbmemused", "percent": "%memused", "buffers": "kbbuffers",
    "cached": "kbcached", "commit": "kbcommit", "commit_percent": "%commit", "slab": "kbslab",
}  # fmt: skip

Cells = dict[str, float | None]


class Part(NamedTuple):
    """One line of one section; no cells where it speaks of one CPU or disk only."""

    line: Line
    time: float
    interval: float
    cells: Cells


def recognise(head: Sequence[str]) -> bool:
    """Whether a header of sadf is among the first lines."""
    return any(_HEADER.match(line) for line in head[:5])


def read(source: Source, asked: Asked) -> Iterator[Row]:
    """Raises RecordingError for a line whose columns aren't those of the header above it."""
    parts, cores = _parts(source)
    joined = list(_joined(parts))
    memory = [m for part in joined if (m := _memory(part.cells)) is not None]
    total = asked.totals.get("ram") or total_of(memory)
    missing: Cells = {"ram.used": None} if memory else {}
    for part in joined:
        values = missing | _values(part.cells, total, cores)
        yield Row(part.line, part.time, wall(part.time), values, part.interval)


def _parts(source: Source) -> tuple[list[list[Part]], int | None]:
    """The lines of each section, and the number of CPUs if a restart tells it."""
    sections: list[list[Part]] = []
    names: list[str] = []
    cores: int | None = None
    for line in source:
        if _HEADER.match(line.text):
            names = [name.strip() for name in line.text.lstrip("# ").replace("[...]", "").split(";")]
            sections.append([])
        elif mark := _MARK.fullmatch(line.text):
            if found := re.search(r"\((\d+) CPU", mark[2]):
                cores = int(found[1])
        else:
            part = source.kept(line, _part, line, names)
            if part is not None and part.cells:
                sections[-1].append(part)
    return sections, cores


def _part(line: Line, names: list[str]) -> Part:
    cells = line.text.split(";")
    named = dict(zip(names, cells, strict=False))
    read = named.keys() & set(_WANTED)
    if len(cells) < 4 or (read and len(cells) != len(names)):
        raise BadLine(f"{len(cells)} columns where the header above names {len(names)}")
    time, interval = moment(cells[2]), number(cells[1]) or 0.0
    if not read or named.get("CPU", "-1") not in ("-1", "all"):
        return Part(line, time, interval, {})
    return Part(line, time, max(0.0, interval), {n: number(named[n]) for n in _WANTED if n in named})


_WANTED = (
    *_MEMORY.values(), "kbswpfree", "kbswpused", "%idle", "%iowait", "ldavg-1", "pswpin/s",
    "%smem", "%fmem", "%sio", "%fio",
)  # fmt: skip


def _joined(sections: list[list[Part]]) -> Iterator[Part]:
    """One part for each time, in the order of the first section that has it; a time that comes twice stays twice."""
    found: dict[tuple[float, int], Part] = {}
    for section in sections:
        seen: dict[float, int] = {}
        for part in section:
            key = (part.time, seen.get(part.time, 0))
            seen[part.time] = key[1] + 1
            first = found.get(key)
            found[key] = part if first is None else first._replace(cells={**first.cells, **part.cells})
    yield from found.values()


def _memory(cells: Cells) -> Memory | None:
    if "kbmemused" not in cells:
        return None
    swap = [cells.get("kbswpfree"), cells.get("kbswpused")]
    return Memory(**{name: cells.get(key) for name, key in _MEMORY.items()}, swap=added(swap))


def _values(cells: Cells, total: float | None, cores: int | None) -> Cells:
    values: Cells = {}
    memory = _memory(cells)
    if memory is not None:
        values |= ram(memory, total)
    if "kbswpused" in cells:
        values["swap.used"] = _times(cells["kbswpused"], KIB)
    if "%idle" in cells:
        values["cpu"] = busy({"idle": cells["%idle"], "iowait": cells.get("%iowait")})
    if "ldavg-1" in cells and cores:
        values["load"] = _times(cells["ldavg-1"], 1 / cores)
    if "pswpin/s" in cells:
        values["swap.in"] = _times(cells["pswpin/s"], PAGE)
    for name, stem in (("memory", "mem"), ("io", "io")):
        if f"%s{stem}" in cells:
            values[f"pressure.{name}.some"] = _times(cells[f"%s{stem}"], 0.01)
            values[f"pressure.{name}.full"] = _times(cells.get(f"%f{stem}"), 0.01)
    return values


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
