"""How a command ends that can't do what it was asked for."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

import typer


def fail(command: str, problem: object, code: int = 1) -> NoReturn:
    """One line on stderr, and the exit. code: 1 for what can't be used or done, 2 for wrong usage."""
    typer.echo(f"gearshift {command}: {problem}", err=True)
    raise typer.Exit(code)


@contextmanager
def in_good_order() -> Iterator[None]:
    """SIGTERM, and SIGHUP of a terminal that is closed, end what runs here as an exit does: models are unloaded.

    The exit code is that of a shell for the signal. For the main thread only.
    """

    def end(number: int, _: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    ours = [found for name in ("SIGTERM", "SIGHUP") if (found := getattr(signal, name, None)) is not None]
    before = {number: signal.signal(number, end) for number in ours}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
