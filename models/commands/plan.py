"""`gearshift plan`: what each rung needs, and whether it fits now."""

import typer

from .ending import fail
from .options import Json, UserLadder


def plan(ladder: UserLadder = None, as_json: Json = False) -> None:
    """What each rung of the ladder needs, by estimate and by measurement, and whether it fits now; loads nothing.

    Without --ladder the rungs are those of the file in the user's cache folder, else the chat models in the local
    Hugging Face cache.

    Exit codes: 0 told, 1 the ladder or the settings can't be used, 2 wrong usage.
    """
    from ...pipeline.configuring import SettingsError
    from ..ladders.ladder import Ladder, LadderError, default_ladder
    from . import plan_report

    try:
        found = plan_report.planned(Ladder.from_toml(ladder) if ladder is not None else default_ladder())
    except (LadderError, SettingsError) as error:
        fail("plan", error)
    if as_json:
        typer.echo(plan_report.as_json(found))
    else:
        plan_report.show(found)
