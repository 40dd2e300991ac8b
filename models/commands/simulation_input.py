"""What `gearshift simulate`, `tune`, `report` and `watch` are given: a recording, a ladder and settings, checked."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec

from ...pipeline import configuring
from ...pipeline.configuring import OPTION, SettingsError, combined, layer
from ...pipeline.loading import Recording, load
from ...pipeline.rungs import Rung, checked_ladder, qualities
from ...pipeline.settings import Settings
from ...pipeline.simulation.fitting import own_settings
from .ladder_input import rungs_in


class Unusable(Exception):
    """Says what can't be used, why, and the remedy. code: of the exit, 2 for wrong usage."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


class Given(NamedTuple):
    """ladder: with its places as qualities, where it doesn't tell the rungs apart. changed: keys that the command line
    sets. load_time: seconds, None for what a disk takes."""

    recording: Recording
    ladder: list[Rung]
    settings: Settings
    changed: tuple[str, ...]
    load_time: float | None


def understood(path: Path, ladder: Path | None, changes: Iterable[str], load_time: float | None) -> Given:
    """Read everything that the command line names. Raises Unusable."""
    return with_ladder(recorded(path, changes, load_time), ladder)


def recorded(path: Path, changes: Iterable[str], load_time: float | None) -> Given:
    """The same without a ladder. Raises Unusable."""
    try:
        changed = configuring.changes(changes)
    except SettingsError as error:
        raise Unusable(str(error), 2) from None
    if load_time is not None and not (math.isfinite(load_time) and load_time >= 0):
        raise Unusable(f"--load-time must be seconds of at least 0, got {load_time!r}", 2)
    recording = _recording(path)
    told = layer(msgspec.structs.asdict(own_settings(recording)), f"recording {path}")
    try:
        settings = combined(layer(changed, OPTION), told).settings
    except SettingsError as error:
        raise Unusable(str(error), 2) from None
    return Given(recording, [], settings, tuple(changed), load_time)


def with_ladder(given: Given, file: Path | None) -> Given:
    """With the rungs of this file, else the recording's own. Raises Unusable."""
    return given._replace(ladder=_ladder(given.recording, file))


def _recording(path: Path) -> Recording:
    try:
        recording = load(path)
    except (ValueError, ImportError) as error:
        raise Unusable(str(error)) from None
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror or error}; name a recording that can be read") from None
    if not recording.samples:
        raise Unusable(f"{path}: holds no sample, so there is nothing to tell; record for a while longer")
    return recording


def _ladder(recording: Recording, file: Path | None) -> list[Rung]:
    try:
        if file is not None:
            rungs = rungs_in(file)
        elif recording.header is not None and recording.header.ladder:
            file, rungs = recording.path, list(checked_ladder(recording.header.ladder))
        else:
            raise Unusable(
                f"{recording.path} names no ladder; pass --ladder FILE, TOML with [[rung]] tables, the best first,"
                ' such as: name = "small", quality = 1.0, need = { ram = 2147483648 }',
                2,
            )
    except (ValueError, TypeError) as error:
        raise Unusable(str(error) if str(file) in str(error) else f"{file}: {error}") from None
    except OSError as error:
        raise Unusable(f"{file}: {error.strerror or error}; name a ladder that can be read") from None
    known = {name for sample in recording.samples for name, pool in sample.pools.items() if pool is not None}
    for rung in rungs:
        for pool in rung.need:
            if pool not in known:
                raise Unusable(
                    f"{file}: rung {rung.name!r} needs {pool}, which {recording.path} holds no reading of; it has"
                    f" {', '.join(sorted(known)) or 'none'}"
                )
    told = zip(rungs, reversed(qualities(rungs)), strict=True)
    return [msgspec.structs.replace(rung, quality=quality) for rung, quality in told]
