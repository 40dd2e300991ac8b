"""What `gearshift watch` is given, made ready and run."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from rich.console import Console

from ...pipeline.replayed import rungs_from
from ...pipeline.rungs import Rung, checked_ladder
from ...pipeline.scaler import ProactiveScaler
from ...pipeline.settings import Settings
from ...pipeline.tier_file import TierError
from ...pipeline.tiers import machine_settings
from ...pipeline.watch.live import LiveApp
from ...pipeline.watch.playback import PlaybackApp
from ...pipeline.watch.playing import own_settings, recorded, simulated
from .simulation_input import Unusable, changed_settings, ladder_for, read_samples


class Options(NamedTuple):
    """changes: KEY=VALUE. interval: seconds. speed: of a playback."""

    ladder: Path | None
    changes: tuple[str, ...]
    interval: float | None
    record: Path | None
    speed: float


def watch_live(options: Options) -> int | None:
    """Watch this machine until the user quits; the exit code. Raises Unusable."""
    changed = changed_settings(options.changes)
    if options.interval is not None:
        changed["interval"] = options.interval
    try:
        settings = _with(machine_settings(), changed)
    except TierError as error:
        raise Unusable(str(error)) from None
    rungs, why = live_ladder(options.ladder)
    try:
        scaler = ProactiveScaler(rungs, settings, dry_run=True)
        app = LiveApp(scaler, "this machine", recording=options.record)
        app.begin_recording()
    except (OSError, ImportError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise Unusable(f"--record {options.record}: {reason}; name a file that can be written") from None
    if why:
        app.story.note("note", why, app.story.end)
    app.run(mouse=False)  # so that text can be selected as ever
    return app.return_code


def live_ladder(file: Path | None) -> tuple[list[Rung], str]:
    """Rungs with their needs from `file`, be it of rungs or of models; else the usual ladder, or none and why not."""
    from ..ladders.ladder import Ladder, LadderError, default_ladder
    from ..needs.remembered import Needs

    if file is None:
        try:
            return default_ladder().rungs(Needs()), ""
        except LadderError as error:
            return [], f"Nothing is decided, as there is no ladder: {error}"
    try:
        if b"source" in file.read_bytes():
            return Ladder.from_toml(file).rungs(Needs()), ""
        return list(checked_ladder(rungs_from(file))), ""
    except OSError as error:
        raise Unusable(f"{file}: {error.strerror or error}; name a ladder that can be read") from None
    except (ValueError, TypeError, LadderError) as error:
        raise Unusable(str(error) if str(file) in str(error) else f"{file}: {error}") from None


def play(path: Path, options: Options) -> int | None:
    """Play a recording back until the user quits; the exit code. Raises Unusable."""
    changed = changed_settings(options.changes)
    recording = _busy("reading", lambda: read_samples(path, "watch"))
    settings = _with(own_settings(recording), changed)
    if options.ladder is None:
        story = _busy("working out the forecasts", lambda: recorded(recording, settings))
    else:
        rungs: Sequence[Rung] = ladder_for(recording, options.ladder)
        story = _busy("simulating", lambda: simulated(recording, rungs, settings))
    app = PlaybackApp(story, speed=options.speed)
    app.run(mouse=False)
    return app.return_code


def _with(settings: Settings, changed: dict[str, Any]) -> Settings:
    try:
        return msgspec.structs.replace(settings, **changed)
    except ValueError as error:
        raise Unusable(f"--set or --interval: {error}", 2) from None


def _busy(what: str, work: Callable[[], Any]) -> Any:
    with Console(stderr=True).status(f"{what} ..."):
        return work()
