"""`gearshift tune`: which settings would have served best on a recording."""

import typer

from .ending import fail
from .options import Changes, Json, LadderFile, LoadTime, Recording


def tune(
    recording: Recording,
    ladder: LadderFile = None,
    changes: Changes = None,
    load_time: LoadTime = None,
    as_json: Json = False,
) -> None:
    """Which settings would have served best on a recording: up to 46 simulations, what --set names stays fixed.

    Exit codes: 0 told, 1 the recording or the ladder can't be used, 2 wrong usage.
    """
    from .progress import working
    from .simulation_input import Unusable, understood

    try:
        with working(f"Reading {recording.name} …"):
            given = understood(recording, ladder, changes or (), load_time)
    except Unusable as error:
        fail("tune", error, error.code)
    from . import tune_report

    found = tune_report.run(given)
    if as_json:
        typer.echo(tune_report.as_json(given, found))
    else:
        tune_report.show(given, found)
