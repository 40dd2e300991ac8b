"""`gearshift tiers`: what kind of machine this is."""

from pathlib import Path
from typing import Annotated

import typer

from .ending import fail
from .options import Json


def tiers(
    file: Annotated[
        Path | None, typer.Option("--tiers", metavar="FILE", help="Use the tiers of this TOML file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """What kind of machine this is, by what it has under limits, and which ceilings follow.

    The tiers are those of --tiers, else of the file that GEARSHIFT_TIERS names, else those that ship.

    Exit codes: 0 told, 1 the tiers can't be used, 2 wrong usage.
    """
    from ...pipeline.tier_file import TierError
    from ...pipeline.tiers import HardwareTierDetector

    try:
        detector = HardwareTierDetector(file)
    except TierError as error:
        fail("tiers", error)
    from . import tier_report

    if as_json:
        typer.echo(tier_report.as_json(detector))
    else:
        tier_report.show(detector)
