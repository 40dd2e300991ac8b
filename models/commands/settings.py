"""`gearshift settings`: the settings that count here, and where each comes from."""

from pathlib import Path
from typing import Annotated

import typer

from .completing import settings_names
from .ending import fail
from .options import Changes, Json


def settings(
    key: Annotated[
        str | None, typer.Argument(metavar="KEY", help="Explain this one.", autocompletion=settings_names)
    ] = None,
    changes: Changes = None,
    file: Annotated[Path | None, typer.Option(metavar="FILE", help="Read this TOML file, not the usual one.")] = None,
    describe: Annotated[bool, typer.Option("--describe", help="Explain them all.")] = False,
    as_json: Json = False,
) -> None:
    """The settings that count on this machine, and where each comes from.

    The strongest first: what code says, or --set here; the TOML file of --file, else the one that GEARSHIFT_SETTINGS
    names, else gearshift/settings.toml under XDG_CONFIG_HOME or ~/.config; variables such as GEARSHIFT_HIGH; this
    machine's tier; the defaults.

    Exit codes: 0 told, 1 the file, a variable or the tiers can't be used, 2 wrong usage.
    """
    from . import settings_report
    from .settings_input import changed, here, named
    from .simulation_input import Unusable

    try:
        names = named(key)
        found = here(changed(changes or ()), file)
    except Unusable as error:
        fail("settings", error, error.code)
    if as_json:
        typer.echo(settings_report.as_json(found, names))
    elif describe or key is not None:
        settings_report.describe(found, names)
    else:
        settings_report.show(found, file)
