"""How a command ends that can't do what it was asked for, or is told to stop."""

import errno
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

import typer

_UNWRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def fail(command: str, problem: object, code: int = 1) -> NoReturn:
    """One line on stderr, and the exit. code: 1 for what can't be used or done, 2 for wrong usage."""
    from ...pipeline.printable import clean_lines

    typer.echo(f"gearshift {command}: {clean_lines(str(problem))}", err=True)
    raise typer.Exit(code)


def in_good_order(run: Callable[[], None]) -> None:
    """Run it so that what it holds is given back at SIGTERM and SIGHUP too, and a full disk behind stdout is told."""
    for number in asked_to_end():
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _ended)
    try:
        try:
            run()
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except OSError as error:
        if error.errno not in _UNWRITTEN:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # else the interpreter tries again at its end
        typer.echo(f"gearshift: stdout: {error.strerror}; name a place that can be written", err=True)
        sys.exit(1)


def asked_to_end() -> list[signal.Signals]:
    """The signals that ask for it, without those that are ignored, as under nohup."""
    known = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    return [number for number in known if signal.getsignal(number) is not signal.SIG_IGN]


def _ended(number: int, _: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
