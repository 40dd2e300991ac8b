"""`gearshift report`: what happened, or would have, as a page."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from .ending import fail
from .options import Changes, Json, Recording


def report(
    recording: Recording,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Of the page; else the recording's name with .html, here."),
    ] = None,
    ladder: Annotated[
        Path | None,
        typer.Option("--ladder", metavar="FILE", help="Simulate with the rungs of this TOML file."),
    ] = None,
    changes: Changes = None,
    load_time: Annotated[
        float | None,
        typer.Option("--load-time", metavar="SECONDS", help="Of a simulated rung; else what a disk takes."),
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Add what nine others would have done, asked once a minute.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is no report, too.")] = False,
    as_json: Json = False,
) -> None:
    """What happened on a recording, as one page for a browser that needs no network.

    A recording that has decisions shows these. With --ladder, or where it names a ladder but has no decisions, it is
    simulated; without any ladder the page shows memory and its forecasts only.

    Exit codes: 0 written, 1 the recording, the ladder or the page's file can't be used, 2 wrong usage.
    """
    from . import report_page
    from .simulation_input import Unusable

    path = out or Path(f"{recording.name.removesuffix('.zst').removesuffix('.jsonl')}.html")
    force = force and not _same(path, recording)
    try:
        with _progress() as tell:
            made = report_page.make(recording, path, ladder, changes or (), load_time, compare, force, tell)
    except Unusable as error:
        fail("report", error, error.code)
    except ValueError as error:
        fail("report", error)
    except OSError as error:
        message = f"{path}: {error.strerror}; name another file" if error.strerror else str(error)
        fail("report", message.replace("or force it", "or pass --force"))
    typer.echo(report_page.as_json(made) if as_json else report_page.told(made))


def _same(one: Path, other: Path) -> bool:
    """The recording itself is never replaced."""
    return one.exists() and other.exists() and one.samefile(other)


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """On a terminal, says what is being done."""
    from rich.console import Console

    with Console(stderr=True).status("Reading …") as status:
        yield lambda what: status.update(f"{what} …")
