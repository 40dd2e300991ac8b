"""`gearshift replay`: the decisions of a recording, as they would come."""

from typing import Annotated

import typer

from .ending import fail
from .options import Changes, Json, LadderFile, Recording


def replay(
    recording: Recording,
    ladder: LadderFile = None,
    changes: Changes = None,
    speed: Annotated[
        float | None,
        typer.Option(metavar="FACTOR", help="Play so many times as fast as it happened; else all at once."),
    ] = None,
    as_json: Json = False,
) -> None:
    """The decisions on a recording, at their times, with their reasons, and its marks among them.

    Where it tells what was loaded, and for its own ladder, they are those that were made, or with --set would have
    been; else those of a dry run, which takes each decision as carried out at once.

    Exit codes: 0 told, 1 the recording or the ladder can't be used, 2 wrong usage.
    """
    if speed is not None and not 0 < speed < float("inf"):
        fail("replay", f"--speed must be above 0, got {speed!r}", 2)
    if speed is not None and as_json:
        fail("replay", "--speed paces lines for people, and --json is one object; leave one of them out", 2)
    from . import replay_report
    from .progress import working
    from .simulation_input import Unusable, understood

    try:
        with working(f"Replaying {recording.name} …"):
            given = understood(recording, ladder, changes or (), None)
            found = replay_report.run(given, own=ladder is None)
    except Unusable as error:
        fail("replay", error, error.code)
    if as_json:
        typer.echo(replay_report.as_json(given, found))
        return
    try:
        replay_report.show(given, found, speed)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
