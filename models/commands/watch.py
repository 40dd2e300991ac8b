"""`gearshift watch`: this machine live, or a recording played back, in the terminal."""

import math
import sys
from pathlib import Path
from typing import Annotated

import typer

from .completing import recordings
from .ending import fail
from .options import Changes


def watch(
    recording: Annotated[
        Path | None,
        typer.Argument(metavar="RECORDING", help="To play back; else this machine, live.", autocompletion=recordings),
    ] = None,
    ladder: Annotated[
        Path | None, typer.Option("--ladder", metavar="FILE", help="Decide for the rungs of this TOML file.")
    ] = None,
    changes: Changes = None,
    interval: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Between samples, live; else as it is set.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write samples, decisions and marks to this file, live.")
    ] = None,
    speed: Annotated[
        float | None, typer.Option(metavar="FACTOR", help="Play so many times as fast as it happened; 1 by default.")
    ] = None,
) -> None:
    """What gearshift sees, decides and why, in this terminal: live, or from a recording. Loads no model.

    Live, decisions are those for the ladder of --ladder, else the usual one, each taken as carried out; without any
    ladder it only watches. A recording shows what was decided while it was made; with --ladder it is simulated.

    Keys: ? tells them all, q quits.

    Exit codes: 0 quit, 1 something named can't be used or there is no terminal, 2 wrong usage.
    """
    for name, value in (("--interval", interval), ("--speed", speed)):
        if value is not None and not (math.isfinite(value) and value > 0):
            fail("watch", f"{name} must be a number above 0, got {value!r}", 2)
    if recording is not None and (record is not None or interval is not None):
        fail("watch", "--record and --interval are for watching live; leave them out, or leave out the recording", 2)
    if recording is None and speed is not None:
        fail("watch", "--speed is for playing back; name a recording, or leave it out", 2)
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        fail("watch", "needs a terminal to draw on; run it in one, without a pipe (over ssh: ssh -t)", 1)
    from .simulation_input import Unusable
    from .watching import Options, play, watch_live

    options = Options(ladder, tuple(changes or ()), interval, record, speed or 1.0)
    try:
        code = watch_live(options) if recording is None else play(recording, options)
    except Unusable as error:
        fail("watch", error, error.code)
    raise typer.Exit(code or 0)
