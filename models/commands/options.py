"""Options that several commands have, said once."""

from pathlib import Path
from typing import Annotated

import typer

from .completing import recordings, settings_keys

Recording = Annotated[
    Path,
    typer.Argument(metavar="RECORDING", help="Samples, of gearshift or of another program.", autocompletion=recordings),
]
LadderFile = Annotated[
    Path | None, typer.Option("--ladder", metavar="FILE", help="Rungs from this TOML file; else the recording's own.")
]
UserLadder = Annotated[
    Path | None,
    typer.Option("--ladder", metavar="FILE", help="Rungs from this TOML file; else the usual one, else discovered."),
]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a setting, such as ceiling.high=0.9; repeatable.",
        autocompletion=settings_keys,
    ),
]
LoadTime = Annotated[
    float | None, typer.Option("--load-time", metavar="SECONDS", help="For any rung; else what a disk takes.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, in bytes, fractions, seconds.")]
