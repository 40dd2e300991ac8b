"""Recordings that people already have, as samples."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from ..reading import read_whole
from ..samples import Sample
from . import parquet, table
from .asked import Asked
from .fields import sample_of
from .formats import recognise
from .source import MOST, Source


class Imported(msgspec.Struct, frozen=True):
    """What was in a file: `samples`, in its order.

    format: its name. skipped: how many lines were left out because they couldn't be read.
    """

    format: str
    samples: list[Sample]
    skipped: int


def import_samples(
    path: str | Path,
    *,
    columns: Mapping[str, str] | Sequence[str] | None = None,
    totals: Mapping[str, int] | None = None,
    interval: float | None = None,
    unit: str | None = None,
    instance: str | None = None,
    on_bad: Literal["raise", "skip"] = "raise",
) -> Imported:
    """The samples of a recording by another program, whose format is recognised by its content.

    Known are `nvidia-smi --query-gpu … --format=csv`, `nvidia-smi dmon`, `sadf -j`, `sadf -d`, `vmstat -t`,
    `psrecord`, `free -s`, answers of Prometheus' `query_range`, and CSV or Parquet with named columns. What each
    holds, and what of it is read, stands in the module of that name.

    Times are seconds since 1970 where the file has dates (those without a zone count as UTC), and `wall` is the same;
    else seconds since the start of the file, and `wall` is 0.0. Samples come in the order of the file: time that goes
    back, or stands still, is handed on as it is. A reading that is missing is None, and its pool is named in
    `missing`. A last line without an end, cut short by a crash, is left out and counted.

    Args:
        path: the file; text in UTF-8, or in UTF-16 with a byte order mark.
        columns: for tables. `{"ram.used": "my column"}` names the columns of fields (see `vocabulary`), which are then
            the only ones read; a list names all columns, left to right, of a file without a header.
        totals: bytes in all by pool, `{"cuda:0": 24 << 30}`, where the file doesn't hold them.
        interval: seconds between two readings, where the file has no times.
        unit: of numbers of memory that have none, such as "MiB".
        instance: the machine to read, where a file holds several.
        on_bad: "raise", or "skip" to leave out lines that can't be read and count them.

    Returns:
        The samples, the format's name, and how many lines were left out.

    Raises:
        RecordingError: `path:line: what, the line itself; remedy` for a line that can't be read, an unknown format, and
            where the file leaves open what an argument would tell.
        ValueError: an argument that can't be.
        OSError: the file can't be opened, is no regular one, or is longer than 128 MiB.
    """
    if on_bad not in ("raise", "skip"):
        raise ValueError(f'on_bad must be "raise" or "skip", got {on_bad!r}')
    asked = Asked(columns=columns, totals=totals or {}, interval=interval, unit=unit, instance=instance)
    content = read_whole(Path(path), MOST)
    if content.startswith(parquet.MAGIC):
        source = Source(path, parquet.as_csv(Path(path)), skip=on_bad == "skip")
        name, rows = parquet.NAME, table.read(source, asked)
    else:
        source = Source(path, content, skip=on_bad == "skip")
        found = recognise(source, asked)
        name, rows = found.NAME, found.read(source, asked)
    samples = [s for row in rows if (s := source.kept(row.line, sample_of, row, asked)) is not None]
    return Imported(name, samples, source.skipped)
