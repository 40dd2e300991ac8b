"""What `gearshift watch` is given, made ready and run."""

from pathlib import Path
from typing import NamedTuple

from ...pipeline.rungs import Rung
from ...pipeline.scaler import ProactiveScaler
from ...pipeline.settings import Settings
from ...pipeline.watch import playing
from ...pipeline.watch.live import LiveApp
from ...pipeline.watch.playback import PlaybackApp
from .ladder_input import rungs_in
from .progress import decisions_unlogged, working
from .settings_input import changed, here
from .simulation_input import Unusable, recorded, with_ladder


class Options(NamedTuple):
    """changes: KEY=VALUE. interval: seconds. speed: of a playback."""

    ladder: Path | None
    changes: tuple[str, ...]
    interval: float | None
    record: Path | None
    speed: float


def watch_live(options: Options) -> int | None:
    """Watch this machine until the user quits; the exit code. Raises Unusable."""
    settings = _live_settings(options)
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
    with decisions_unlogged():
        app.run(mouse=False)  # so that text can be selected as ever
    return app.return_code


def _live_settings(options: Options) -> Settings:
    asked = changed(options.changes)
    if options.interval is not None:
        asked["interval"] = options.interval
    return here(asked).settings


def live_ladder(file: Path | None) -> tuple[list[Rung], str]:
    """Rungs with their needs from `file`, be it of rungs or of models; else the usual ladder, or none and why not."""
    from ..ladders.ladder import LadderError, default_ladder
    from ..needs.remembered import Needs

    if file is None:
        try:
            return default_ladder().rungs(Needs()), ""
        except LadderError as error:
            return [], f"Nothing is decided, as there is no ladder: {error}"
    try:
        return rungs_in(file), ""
    except OSError as error:
        raise Unusable(f"{file}: {error.strerror or error}; name a ladder that can be read") from None
    except (ValueError, TypeError) as error:
        raise Unusable(str(error) if str(file) in str(error) else f"{file}: {error}") from None


def play(path: Path, options: Options) -> int | None:
    """Play a recording back until the user quits; the exit code. Raises Unusable."""
    with working(f"Reading {path.name} …"):
        given = recorded(path, options.changes, None)
        if options.ladder is None:
            story = playing.recorded(given.recording, given.settings)
        else:
            given = with_ladder(given, options.ladder)
            story = playing.simulated(given.recording, given.ladder, given.settings)
    app = PlaybackApp(story, speed=options.speed)
    app.run(mouse=False)
    return app.return_code
