"""Recordings as tables, for notebooks."""

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from .loading import Recording, load
from .samples import Sample

Library = Literal["polars", "pandas"]
_PLAIN = ("cpu", "load", "swap_used", "swap_in", "alarm", "interval")
_DEVICE = ("utilisation", "temperature", "power", "reserved", "ecc_errors")


def to_frame(recording: Recording | str | Path | Iterable[Sample], *, library: Library | None = None) -> Any:
    """A table with a row for each sample: a polars DataFrame, or one of pandas where only that is installed.

    Columns: `time`, `wall`; for each pool `ram.total`, `ram.used`, `ram.own`, `ram.external` (bytes); `cpu`, `load`,
    `swap_used`, `swap_in`, `alarm`, `interval`; `memory.some`, `memory.full` and so on for each pressure;
    `cuda:0.utilisation` and so on for each device; `missing`. What was not read is null. Columns without any reading
    are left out.

    Args:
        recording: a Recording, a path that `load` can read, or samples.
        library: "polars" or "pandas"; by default the first that is installed.

    Raises:
        ImportError: where neither is installed, or not the one asked for.
    """
    if isinstance(recording, str | Path):
        recording = load(recording)
    samples = recording.samples if isinstance(recording, Recording) else recording
    rows = [_row(sample) for sample in samples]
    names = dict.fromkeys(name for row in rows for name, value in row.items() if value is not None)
    columns = {name: [row.get(name) for row in rows] for name in names}
    return _library(library).DataFrame(columns)


def _row(sample: Sample) -> dict[str, Any]:
    row: dict[str, Any] = {"time": sample.time, "wall": sample.wall or None}
    for name, pool in sample.pools.items():
        if pool is not None:
            parts = ("total", "used", "own", "external")
            row |= {f"{name}.{part}": getattr(pool, part) for part in parts}
    row |= {name: getattr(sample, name) for name in _PLAIN}
    for name, pressure in sample.pressure.items():
        row |= {f"{name}.some": pressure.some, f"{name}.full": pressure.full}
    for name, device in sample.devices.items():
        row |= {f"{name}.{part}": getattr(device, part) for part in _DEVICE}
        row[f"{name}.throttled"] = ", ".join(device.throttled) or None
    row["missing"] = ", ".join(sample.missing) or None
    return row


def _library(wanted: Library | None) -> Any:
    if wanted not in (None, "polars", "pandas"):
        raise ValueError(f"library must be 'polars', 'pandas' or None, got library={wanted!r}")
    for name in ("polars", "pandas") if wanted is None else (wanted,):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    remedy = "pandas" if wanted == "pandas" else "'gearshift[frames]'"
    raise ImportError(f"to_frame needs {wanted or 'polars or pandas'}; run: pip install {remedy}")
