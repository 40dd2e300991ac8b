"""The command `gearshift`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .watch import watch

if TYPE_CHECKING:
    from .simulation_input import Given

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Keeps a local language model answering.")


@app.callback()
def _root() -> None:
    """Keeps a local language model answering on a machine that it shares with everything else."""


@app.command()
def demo(
    recording: Annotated[Path | None, typer.Option(help="Keep the samples in this file, as JSON lines.")] = None,
) -> None:
    """A conversation with a real model, while real programs take memory and give it back (under four minutes)."""
    from ..demo.checkpoint import DemoMissing
    from ..demo.story import run_demo
    from ..ladders.ladder import LadderError

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
    from ...pipeline.tier_file import TierError
    from ...pipeline.tiers import HardwareTierDetector

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


@app.command()
def plan(
    ladder: Annotated[
        Path | None,
        typer.Option(
            "--ladder", metavar="FILE", help="Rungs from this TOML file; else the usual one, else discovered."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, in bytes and fractions.")] = False,
) -> None:
    """What each rung of the ladder needs, by estimate and by measurement, and whether it fits now; loads nothing.

    Without --ladder the rungs are those of the file in the user's cache folder, else the chat models in the local
    Hugging Face cache. Exit codes: 0 told, 1 the ladder or the tiers can't be used, 2 wrong usage.
    """
    from ...pipeline.tier_file import TierError
    from ..ladders.ladder import Ladder, LadderError, default_ladder
    from . import plan_report

    try:
        found = plan_report.planned(Ladder.from_toml(ladder) if ladder is not None else default_ladder())
    except (LadderError, TierError) as error:
        typer.echo(f"gearshift plan: {error}", err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(plan_report.as_json(found))
    else:
        plan_report.show(found)


_Recording = Annotated[Path, typer.Argument(help="Samples, of gearshift or of another program.")]
_LadderFile = Annotated[
    Path | None, typer.Option("--ladder", metavar="FILE", help="Rungs from this TOML file; else the recording's own.")
]
_Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, such as ceiling.high=0.9; repeatable."),
]
_LoadTime = Annotated[
    float | None, typer.Option("--load-time", metavar="SECONDS", help="For any rung; else what a disk takes.")
]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, in bytes, fractions, seconds.")]


@app.command()
def simulate(
    recording: _Recording,
    ladder: _LadderFile = None,
    changes: _Changes = None,
    load_time: _LoadTime = None,
    as_json: _Json = False,
) -> None:
    """What gearshift would have done beside the programs of a recording, and how well the model would have answered.

    Exit codes: 0 told, 1 the recording or the ladder can't be used, 2 wrong usage.
    """
    given = _understood("simulate", recording, ladder, changes, load_time)
    from . import simulation_report

    found = simulation_report.run(given)
    if as_json:
        typer.echo(simulation_report.as_json(given, found))
    else:
        simulation_report.show(given, found)


@app.command()
def tune(
    recording: _Recording,
    ladder: _LadderFile = None,
    changes: _Changes = None,
    load_time: _LoadTime = None,
    as_json: _Json = False,
) -> None:
    """Which settings would have served best on a recording: up to 46 simulations, what --set names stays fixed.

    Exit codes: 0 told, 1 the recording or the ladder can't be used, 2 wrong usage.
    """
    given = _understood("tune", recording, ladder, changes, load_time)
    from . import tune_report

    found = tune_report.run(given)
    if as_json:
        typer.echo(tune_report.as_json(given, found))
    else:
        tune_report.show(given, found)


app.command()(watch)


def _understood(
    command: str, recording: Path, ladder: Path | None, changes: list[str] | None, load_time: float | None
) -> "Given":
    from .simulation_input import Unusable, understood

    try:
        return understood(recording, ladder, changes or (), load_time)
    except Unusable as error:
        typer.echo(f"gearshift {command}: {error}", err=True)
        raise typer.Exit(error.code) from None


def main() -> None:
    app()
