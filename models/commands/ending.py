"""How a command ends that can't do what it was asked for."""

from typing import NoReturn

import typer


def fail(command: str, problem: object, code: int = 1) -> NoReturn:
    """One line on stderr, and the exit. code: 1 for what can't be used or done, 2 for wrong usage."""
    typer.echo(f"gearshift {command}: {problem}", err=True)
    raise typer.Exit(code)
