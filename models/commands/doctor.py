"""`gearshift doctor`: what was detected, what is missing, what to install."""

import typer

from .ending import fail
from .options import Json


def doctor(as_json: Json = False) -> None:
    """What gearshift finds on this machine, what is missing, and what to install to get it.

    All that is printed may be pasted into a bug report: names of users are left out, and so is what the environment
    holds.

    Exit codes: 0 what is needed is there, 1 something that is needed is broken, 2 wrong usage.
    """
    from . import doctor_report
    from .progress import working

    with working("Looking at this machine; importing torch may take a while …"):
        found = doctor_report.examined()
    if as_json:
        typer.echo(doctor_report.as_json(found))
    else:
        doctor_report.show(found)
    if found.broken:
        fail("doctor", f"{len(found.broken)} of what is needed is broken")
