"""Rows of several GPUs to moments: which rows belong together, and which GPU each is of."""

from collections.abc import Hashable, Iterator, Sequence
from statistics import median, median_low, mode
from typing import NamedTuple

from .asked import Asked
from .fields import Row, Values
from .source import Line, Source
from .vocabulary import BYTES

MOST = 16
"""GPUs in one machine, at most, where nothing but the rhythm of the rows tells their number."""

AT_ONCE = 0.1
"""A file that spans fewer seconds is one moment."""

CLOSE = 0.5
"""Seconds that rows of one moment are apart at most, where only their rhythm tells: GPUs are asked within
milliseconds of each other, and a single GPU sampled at uneven times isn't two."""

CONSISTENT = 0.8
"""Share of the rows that must stand in moments of the same size."""


class GpuRow(NamedTuple):
    """What one row says of one GPU. time: seconds, None in a file without times. key: what tells the GPU from the
    others, None where nothing does. values: fields without their pool; fields of the whole machine can't be."""

    line: Line
    time: float | None
    wall: float
    key: Hashable
    values: Values


def moments(rows: Sequence[GpuRow], interval: float | None) -> Iterator[list[tuple[int, GpuRow]]]:
    """Rows of one moment together, each with the number of its GPU.

    Where rows name their GPU, a moment ends when one comes again, or after half the sampling interval. Where they
    don't, rows less than half the `interval` apart belong together, in order; without an `interval` the rhythm of
    the rows tells. Rows with neither name nor time are a moment each. Time going back begins a moment.
    """
    numbers = _numbers(rows)
    together = _together(rows, interval)
    group: list[tuple[int, GpuRow]] = []
    seen: set[int] = set()
    for row in rows:
        gpu = numbers[row.key] if row.key is not None else len(group)
        apart = row.time is None and row.key is None
        if group and group[-1][1].time is not None and row.time is not None:
            gap = row.time - group[-1][1].time
            apart = gap < 0 or (together is not None and gap >= together) or (row.key is None and together is None)
        if group and (apart or gpu in seen):
            yield group
            group, seen = [], set()
            gpu = gpu if row.key is not None else 0
        group.append((gpu, row))
        seen.add(gpu)
    if group:
        yield group


def joined(source: Source, rows: Sequence[GpuRow], asked: Asked) -> Iterator[Row]:
    """One row for each moment, its pools `cuda:0`, `cuda:1` and so on; None where a GPU of the file has no row.

    Raises RecordingError where rows have no time, and no interval was given.
    """
    groups = list(moments(rows, asked.interval))
    fields = {(gpu, part) for group in groups for gpu, row in group for part in row.values if part in BYTES}
    missing: dict[str, float | None] = dict.fromkeys(f"cuda:{gpu}.{part}" for gpu, part in sorted(fields))
    for count, group in enumerate(groups):
        line, time, wall = group[0][1][:3]
        when = source.kept(line, asked.tick, count) if time is None else time
        if when is not None:
            values = {f"cuda:{gpu}.{part}": value for gpu, row in group for part, value in row.values.items()}
            yield Row(line, when, wall, missing | values, asked.step)


def _numbers(rows: Sequence[GpuRow]) -> dict[Hashable, int]:
    """An index is the GPU's number; other names are numbered as they first appear."""
    keys = list(dict.fromkeys(row.key for row in rows if row.key is not None))
    return {key: key if isinstance(key, int) else place for place, key in enumerate(keys)}


def _together(rows: Sequence[GpuRow], interval: float | None) -> float | None:
    """Seconds under which two rows are of one moment; None where there is but one GPU, or no time."""
    if interval is not None:
        return interval / 2
    times = [row.time for row in rows if row.time is not None]
    if len(times) < 2:
        return None
    if all(row.key is not None for row in rows):
        return _by_name(rows)
    if max(times) - min(times) < AT_ONCE:
        return AT_ONCE
    return _by_rhythm(times)


def _by_name(rows: Sequence[GpuRow]) -> float:
    last: dict[Hashable, float] = {}
    steps = []
    for row in rows:
        if row.time is not None:
            if row.key in last and row.time > last[row.key]:
                steps.append(row.time - last[row.key])
            last[row.key] = row.time
    return median(steps) / 2 if steps else CLOSE


def _by_rhythm(times: Sequence[float]) -> float | None:
    """Seconds under which rows are of one moment, if moments of one size come out of it; the largest such size counts.

    With n GPUs, rows n apart are of one GPU, so that the median of their distances is the interval. Rows of one
    moment must then be closer than half of what they would be if they were spread evenly.
    """
    for gpus in range(min(MOST, len(times) // 2), 1, -1):
        interval = median_low(b - a for a, b in zip(times, times[gpus:], strict=False))
        close = min(CLOSE, interval / gpus / 2)
        sizes = [1]
        for a, b in zip(times, times[1:], strict=False):
            if 0 <= b - a < close:
                sizes[-1] += 1
            else:
                sizes.append(1)
        if mode(sizes) == gpus and sizes.count(gpus) * gpus >= CONSISTENT * len(times):
            return close
    return None
