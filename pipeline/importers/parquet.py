"""Parquet with named columns: the same as CSV. Read by polars or pyarrow, whichever is installed."""

import csv
import io
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from ..lines import RecordingError

NAME = "Parquet with named columns"

MAGIC = b"PAR1"


def as_csv(path: Path) -> bytes:
    """The table as CSV, so that row n stands on line n + 1.

    Raises RecordingError where neither library is installed, and for a damaged file.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names, rows = _table(path)
    writer.writerow(names)
    writer.writerows(rows)
    return text.getvalue().encode()


def _table(path: Path) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
    for library, reading in (("polars", _by_polars), ("pyarrow.parquet", _by_pyarrow)):
        try:
            module = import_module(library)
        except ImportError:
            continue
        try:
            return reading(module, path)
        except Exception as error:  # noqa: BLE001 - each library raises its own for a damaged file
            raise RecordingError(f"{path}:1: damaged Parquet: {error}; write it again") from None
    raise RecordingError(f"{path}:1: Parquet needs polars or pyarrow to be read; run: pip install 'gearshift[frames]'")


def _by_polars(polars: Any, path: Path) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
    frame = polars.read_parquet(path)
    return frame.columns, frame.iter_rows()


def _by_pyarrow(parquet: Any, path: Path) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
    table = parquet.read_table(path)
    return table.column_names, zip(*(column.to_pylist() for column in table.columns), strict=True)
