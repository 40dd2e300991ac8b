"""`nvidia-smi dmon`, with any -s, and -o T, D, DT or none.

dmon shows no total of memory: `totals={"cuda:0": bytes}` where `fb` is among its columns. "MB" are MiB. Without the
time of day (-o T) there are no times: `interval=`, the N of -d, 1 if it wasn't given. With the time of day but no
date, times are seconds from the first line of the file; midnight is passed over rightly.
"""

from collections.abc import Iterator, Sequence

from .asked import Asked
from .fields import Row
from .moments import GpuRow, joined
from .quantities import number, percent, size
from .source import BadLine, Line, Source
from .times import DAY, stamp, time_of_day

NAME = "nvidia-smi dmon"


def recognise(head: Sequence[str]) -> bool:
    """Whether dmon's header is among the first lines."""
    return any(line.startswith("#") and _names(line).count("gpu") == 1 for line in head[:5])


def read(source: Source, asked: Asked) -> Iterator[Row]:
    """Raises RecordingError for a line whose columns aren't those of the header above it."""
    names: list[str] = []
    rows: list[GpuRow] = []
    for line in source:
        if line.text.lstrip().startswith("#"):
            found = _names(line.text)
            names = found if "gpu" in found else names
            continue
        row = source.kept(line, _row, line, names, asked)
        if row is not None:
            rows.append(row)
    if rows and rows[0].time is not None and rows[0].time < DAY:
        rows = list(_since_start(rows))
    yield from joined(source, rows, asked)


def _names(text: str) -> list[str]:
    return [name.lower() for name in text.replace(",", " ").replace("#", " ").split()]


def _row(line: Line, names: list[str], asked: Asked) -> GpuRow:
    cells = line.text.replace(",", " ").split()
    if len(cells) != len(names):
        raise BadLine(f"{len(cells)} columns where dmon's header names {len(names)}")
    named = dict(zip(names, cells, strict=True))
    gpu = number(named["gpu"])
    if gpu is None:
        raise BadLine("no number of the GPU")
    time, wall = None, 0.0
    if "date" in named and "time" in named:
        date = named["date"]
        time = wall = stamp(f"{date[:4]}-{date[4:6]}-{date[6:]} {named['time']}")
    elif "time" in named:
        time = time_of_day(named["time"])
    values: dict[str, float | None] = {}
    if "fb" in named:
        values["used"] = size(named["fb"], asked.unit or "MiB")
    if "sm" in named:
        values["utilisation"] = percent(named["sm"])
    if "pwr" in named:
        values["power"] = number(named["pwr"])
    if temperature := named.get("gtemp", named.get("temp")):
        values["temperature"] = number(temperature)
    return GpuRow(line, time, wall, int(gpu), values)


def _since_start(rows: Sequence[GpuRow]) -> Iterator[GpuRow]:
    """A step back of more than half a day is midnight; a smaller one is left as it is."""
    start = last = rows[0].time or 0.0
    days = 0
    for row in rows:
        time = row.time or 0.0
        days += time - last < -DAY / 2
        last = time
        yield row._replace(time=time + days * DAY - start)
