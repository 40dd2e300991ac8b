"""`nvidia-smi --query-gpu=… --format=csv`, with any choice of columns, in a loop of its own (-l, -lms) or a shell's.

Units may stand in the header, behind the values, or nowhere (MiB then, or `unit=`). Without a header the columns are
those of `columns=`, the list that went to --query-gpu; else `nvidia_guess` looks for memory. Where no column tells
the total, `totals={"cuda:0": bytes}`. Where none tells the time, and no shell put a stamp in front, `interval=`. A
stamp in front counts for the rows behind it that have none. Stamps of nvidia-smi have no zone and count as UTC.

Rows of several GPUs become one sample (see `moments`). The time is that of the first row.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .asked import Asked
from .fields import Row
from .moments import GpuRow, joined
from .nvidia_guess import guess
from .quantities import UNITS, is_missing, number, percent, quantity, size
from .source import BadLine, Line, Source
from .times import DATED, leading_stamp, moment, wall

NAME = "nvidia-smi --query-gpu"

SIZES = {"memory.total": "total", "memory.used": "used", "memory.free": "avail", "memory.reserved": "reserved"}
OTHERS = {"temperature.gpu": "temperature", "power.draw": "power", "power.draw.average": "power",
          "power.draw.instant": "power"}  # fmt: skip
CLOCKS = ("timestamp", "time", "epoch", "t")
KEYS = ("index", "uuid", "gpu_uuid", "pci.bus_id", "gpu_bus_id", "serial", "gpu_serial")

_CELL = re.compile(r"([a-z][a-z0-9_.]*)(?: ?\[(.+)\])?")
_UNIT_CELL = re.compile(r"[\d.]+ (MiB|%|W|MHz)")
_STAMP = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{3}")


class Columns(NamedTuple):
    """Names of columns without their units, and the unit of memory in each."""

    names: list[str]
    units: list[str]


def is_query(names: Sequence[str]) -> bool:
    """Whether names of columns are such as --query-gpu takes."""
    bare = {name.partition(" [")[0].strip().lower() for name in names}
    return not bare.isdisjoint((*SIZES, *OTHERS, "utilization.gpu"))


def recognise(head: Sequence[str]) -> bool:
    """Whether columns of --query-gpu are named in the first lines, or the first holds its stamps or units."""
    return any(_is_header(line) for line in head[:3]) or _is_headerless(head)


def read(source: Source, asked: Asked) -> Iterator[Row]:
    """Raises RecordingError for a line whose columns don't fit, and for columns without a header that can't be told."""
    columns = _columns(asked.listed, asked) if asked.listed else None
    rows: list[GpuRow] = []
    last: float | None = None
    for line in source:
        if _is_header(line.text):
            columns = _columns(line.text.split(","), asked)
            continue
        if columns is None:
            columns = _columns(_guessed(source), asked)
        row = source.kept(line, _row, line, columns, last)
        if row is not None:
            last = row.time
            rows.append(row)
    yield from joined(source, rows, asked)


def _is_header(text: str) -> bool:
    return is_query(text.split(","))


def _is_headerless(head: Sequence[str]) -> bool:
    if not head or "," not in head[0]:
        return False
    front, cells = _cells(head[0])
    if _STAMP.fullmatch(front) or any(_UNIT_CELL.fullmatch(cell) for cell in cells):
        return True
    return bool(front) and all(is_missing(cell) or cell.replace(".", "", 1).isdigit() for cell in cells)


def _columns(names: Sequence[str], asked: Asked) -> Columns:
    bare, units = [], []
    for name in names:
        found = _CELL.fullmatch(name.strip().lower())
        unit = name.partition("[")[2].rstrip("] ")
        bare.append(found[1] if found else "")
        units.append(unit if unit in UNITS else asked.unit or "MiB")
    return Columns(bare, units)


def _guessed(source: Source) -> Sequence[str]:
    rows = [_cells(line.text) for line in source]
    names = guess([cells for _, cells in rows])
    if names is None:
        raise source.error(
            source.lines[0],
            "columns without a header, and which of them are memory can't be told",
            'pass the list of --query-gpu, such as columns=["timestamp", "memory.used", "memory.total"]',
        )
    return names


def _cells(text: str) -> tuple[str, list[str]]:
    """The stamp in front, "" without one, and the cells behind it."""
    front, rest = leading_stamp(text)
    return front, [cell.strip() for cell in rest.split(",")]


def _row(line: Line, columns: Columns, last: float | None) -> GpuRow:
    front, cells = _cells(line.text)
    names, units = columns
    if front and len(cells) == len(names) - 1:
        cells = [front, *cells]
    elif not front and len(cells) == len(names) + 1 and _is_epoch(cells[0]):
        front, *cells = cells
    if len(cells) != len(names):
        raise BadLine(f"{len(cells)} columns where {len(names)} are named")
    named = dict(zip(names, cells, strict=True))
    clock = next((named[name] for name in CLOCKS if name in named and not is_missing(named[name])), front)
    time = moment(clock) if clock else last
    key = next((named[name] for name in KEYS if name in named and not is_missing(named[name])), None)
    if key is not None and key.isdigit():
        key = int(key)
    values: dict[str, float | None] = {}
    for name, cell, unit in zip(names, cells, units, strict=True):
        if name in SIZES:
            values[SIZES[name]] = size(cell, unit)
        elif name in OTHERS and values.get(OTHERS[name]) is None:
            values[OTHERS[name]] = number(cell)
        elif name == "utilization.gpu":
            values["utilisation"] = percent(cell)
    return GpuRow(line, time, wall(time or 0.0), key, values)


def _is_epoch(cell: str) -> bool:
    try:
        found = quantity(cell)
    except ValueError:
        return False
    return found is not None and found[0] >= DATED
