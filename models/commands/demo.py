"""`gearshift demo`: a conversation goes on while programs take memory."""

from pathlib import Path
from typing import Annotated

import typer

from .ending import fail


def demo(
    recording: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep the samples in this file, as JSON lines.")
    ] = None,
) -> None:
    """A conversation with a real model, while real programs take memory and give it back (under four minutes).

    Exit codes: 0 all was shown, 1 something was not or the demo can't run here, 2 wrong usage.
    """
    from ..demo.checkpoint import DemoMissing
    from ..demo.story import run_demo
    from ..ladders.ladder import LadderError

    if recording is not None and not recording.parent.is_dir():
        raise typer.BadParameter(f"{recording.parent} is not a folder", param_hint="--recording")
    try:
        code = run_demo(recording)
    except (DemoMissing, LadderError) as error:
        fail("demo", error)
    raise typer.Exit(code)
