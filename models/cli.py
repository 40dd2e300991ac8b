"""The command `gearshift`."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Keeps a local language model answering.")


@app.callback()
def _root() -> None:
    """Keeps a local language model answering on a machine that it shares with everything else."""


@app.command()
def demo(
    recording: Annotated[Path | None, typer.Option(help="Keep the samples in this file, as JSON lines.")] = None,
) -> None:
    """A conversation with a real model, while real programs take memory and give it back (under four minutes)."""
    from .demo.checkpoint import DemoMissing
    from .demo.story import run_demo
    from .ladder import LadderError

    if recording is not None and not recording.parent.is_dir():
        raise typer.BadParameter(f"{recording.parent} is not a folder", param_hint="--recording")
    try:
        code = run_demo(recording)
    except (DemoMissing, LadderError) as error:
        typer.echo(f"gearshift demo: {error}", err=True)
        code = 1
    raise typer.Exit(code)


@app.command()
def tiers(
    file: Annotated[
        Path | None, typer.Option("--tiers", metavar="FILE", help="Use the tiers of this TOML file.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object, in bytes, fractions, seconds.")
    ] = False,
) -> None:
    """What kind of machine this is, by what it has under limits, and which ceilings follow.

    The tiers are those of --tiers, else of the file that GEARSHIFT_TIERS names, else those that ship.
    Exit codes: 0 told, 1 the tiers can't be used, 2 wrong usage.
    """
    from ..pipeline.tier_file import TierError
    from ..pipeline.tiers import HardwareTierDetector

    try:
        detector = HardwareTierDetector(file)
    except TierError as error:
        typer.echo(f"gearshift tiers: {error}", err=True)
        raise typer.Exit(1) from None
    from . import tier_report

    if as_json:
        typer.echo(tier_report.as_json(detector))
    else:
        tier_report.show(detector)


def main() -> None:
    app()
