"""What `gearshift simulate`, `tune`, `report` and `watch` are given: a recording, a ladder and settings, checked."""

import math
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ...pipeline.loading import Recording, load
from ...pipeline.rungs import Rung, checked_ladder, qualities
from ...pipeline.settings import Settings
from ...pipeline.simulation.fitting import own_settings
from .ladder_input import rungs_in

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
    return with_ladder(recorded(path, changes, load_time), ladder)


def recorded(path: Path, changes: Iterable[str], load_time: float | None) -> Given:
    """The same without a ladder. Raises Unusable."""
    changed = changed_settings(changes)
    if load_time is not None and not (math.isfinite(load_time) and load_time >= 0):
        raise Unusable(f"--load-time must be seconds of at least 0, got {load_time!r}", 2)
    recording = _recording(path)
    settings = settings_with(own_settings(recording), changed)
    return Given(recording, [], settings, tuple(changed), load_time)


def settings_with(settings: Settings, changed: dict[str, Any]) -> Settings:
    """The same with what was changed. Raises Unusable."""
    try:
        return msgspec.structs.replace(settings, **changed)
    except ValueError as error:
        raise Unusable(f"--set: {error}", 2) from None


def with_ladder(given: Given, file: Path | None) -> Given:
    """With the rungs of this file, else the recording's own. Raises Unusable."""
    return given._replace(ladder=_ladder(given.recording, file))


def keys() -> list[str]:
    """What `--set` may change."""
    return [*(field.name for field in msgspec.structs.fields(Settings)), *_DOTTED]


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


def changed_settings(changes: Iterable[str]) -> dict[str, Any]:
    """What `--set KEY=VALUE` says, by the names of the fields. Raises Unusable."""
    fields = {field.name: field.type for field in msgspec.structs.fields(Settings)}
    made: dict[str, Any] = {}
    for change in changes:
        key, equals, value = (part.strip() for part in change.partition("="))
        name = _DOTTED.get(key, key)
        if not equals or name not in fields:
            what = f"unknown key {key!r}" if equals else "wants KEY=VALUE"
            near = [] if name in fields else get_close_matches(key, keys(), 1)
            remedy = f"did you mean {near[0]}? The keys are" if near else "the keys are"
            raise Unusable(f"--set {change}: {what}; {remedy} {', '.join(keys())}", 2)
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
