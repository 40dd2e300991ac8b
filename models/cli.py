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


def main() -> None:
    app()
