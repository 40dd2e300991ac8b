"""`gearshift demo`: a conversation goes on while programs take memory."""

from pathlib import Path
from typing import Annotated

import typer

from .ending import fail


def demo(
    recording: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep the samples in this file, as JSON lines.")
    ] = None,
    models_only: Annotated[
        bool, typer.Option("--models-only", help="Only make its models and their ladder, for other commands and apps.")
    ] = False,
) -> None:
    """A conversation with a real model, while real programs take memory and give it back (under four minutes).

    Exit codes: 0 all was shown, 1 something was not or the demo can't run here, 2 wrong usage.
    """
    from ..demo.checkpoint import DemoMissing, demo_ladder
    from ..demo.story import run_demo
    from ..ladders.ladder import LadderError
    from .progress import decisions_unlogged

    if recording is not None and not recording.parent.is_dir():
        raise typer.BadParameter(f"{recording.parent} is not a folder", param_hint="--recording")
    if recording is not None and models_only:
        raise typer.BadParameter("nothing is recorded while models are made; leave one out", param_hint="--models-only")
    try:
        if models_only:
            typer.echo(f"{demo_ladder(typer.echo).where}: what is used where no ladder is named")
            return
        with decisions_unlogged():
            code = run_demo(recording)
    except (DemoMissing, LadderError) as error:
        fail("demo", error)
    raise typer.Exit(code)
