"""`gearshift simulate`: what gearshift would have done on a recording."""

import typer

from .ending import fail
from .options import Changes, Json, LadderFile, LoadTime, Recording


def simulate(
    recording: Recording,
    ladder: LadderFile = None,
    changes: Changes = None,
    load_time: LoadTime = None,
    as_json: Json = False,
) -> None:
    """What gearshift would have done beside the programs of a recording, and how well the model would have answered.

    Exit codes: 0 told, 1 the recording or the ladder can't be used, 2 wrong usage.
    """
    from . import simulation_report
    from .progress import working
    from .simulation_input import Unusable, understood

    try:
        with working(f"Simulating {recording.name} …"):
            given = understood(recording, ladder, changes or (), load_time)
            found = simulation_report.run(given)
    except Unusable as error:
        fail("simulate", error, error.code)
    if as_json:
        typer.echo(simulation_report.as_json(given, found))
    else:
        simulation_report.show(given, found)
