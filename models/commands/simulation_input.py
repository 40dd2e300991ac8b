"""What `gearshift simulate` and `gearshift tune` are given: a recording, a ladder and settings, checked."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ...pipeline.loading import Recording, load
from ...pipeline.replayed import rungs_from
from ...pipeline.rungs import Rung, checked_ladder, qualities
from ...pipeline.settings import Settings
from ...pipeline.simulation.fitting import fitted

_DOTTED = {f"ceiling.{key}": key for key in ("high", "critical", "hysteresis")}


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
    changed = changed_settings(changes)
    if load_time is not None and not (math.isfinite(load_time) and load_time >= 0):
        raise Unusable(f"--load-time must be seconds of at least 0, got {load_time!r}", 2)
    recording = read_samples(path, "simulate")
    rungs = ladder_for(recording, ladder)
    header = recording.header
    base = header.settings if header is not None and header.settings is not None else None
    start = base or fitted(Settings(), recording.samples)
    try:
        settings = msgspec.structs.replace(start, **changed)
    except ValueError as error:
        raise Unusable(f"--set: {error}", 2) from None
    return Given(recording, rungs, settings, tuple(changed), load_time)


def read_samples(path: Path, purpose: str) -> Recording:
    """Raises Unusable where it can't be read, or holds no sample. purpose: a verb for the message."""
    try:
        recording = load(path)
    except (ValueError, ImportError) as error:
        raise Unusable(str(error)) from None
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror or error}; name a recording that can be read") from None
    if not recording.samples:
        raise Unusable(f"{path}: holds no sample, so there is nothing to {purpose}; record for a while longer")
    return recording


def ladder_for(recording: Recording, file: Path | None) -> list[Rung]:
    """The rungs of `file`, else the recording's own, with qualities that tell them apart. Raises Unusable."""
    try:
        if file is not None:
            rungs = checked_ladder(rungs_from(file))
        elif recording.header is not None and recording.header.ladder:
            file, rungs = recording.path, checked_ladder(recording.header.ladder)
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


def changed_settings(changes: Iterable[str]) -> dict[str, Any]:
    """Settings by their names from KEY=VALUE. Raises Unusable."""
    fields = {field.name: field.type for field in msgspec.structs.fields(Settings)}
    made: dict[str, Any] = {}
    for change in changes:
        key, equals, value = (part.strip() for part in change.partition("="))
        name = _DOTTED.get(key, key)
        if not equals or name not in fields:
            what = f"unknown key {key!r}" if equals else "wants KEY=VALUE"
            raise Unusable(f"--set {change}: {what}; the keys are {', '.join([*fields, *_DOTTED])}", 2)
        try:
            made[name] = _value(value, fields[name])
        except msgspec.MsgspecError as error:
            usual = msgspec.json.encode(getattr(Settings(), name)).decode().strip('"')
            raise Unusable(
                f"--set {change}: {key} can't be {value!r}: {error}; give it as in {key}={usual}", 2
            ) from None
    return made


def _value(text: str, type_: Any) -> Any:
    if text.startswith("{"):
        return msgspec.json.decode(text, type=type_)
    return msgspec.convert("null" if text.lower() == "none" else text, type_, strict=False)
