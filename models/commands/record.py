"""`gearshift record`: keep what the machine goes through."""

from pathlib import Path
from typing import Annotated

import typer

from .ending import fail
from .options import Json


def record(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The file; .zst at its end compresses it.")],
    lasting: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="Such as 90, 5m, 1h30m; else until Ctrl-C.")
    ] = None,
    interval: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Between samples; else as this machine's settings say.")
    ] = None,
    ladder: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep this ladder too, and what would be decided for it.")
    ] = None,
    max_size: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Begin a new file at this size, such as 500M or 2GiB.")
    ] = None,
    keep: Annotated[int, typer.Option(metavar="N", min=0, help="How many earlier files to keep.")] = 5,
    as_json: Json = False,
) -> None:
    """Keep what the machine goes through, sample by sample, to replay, simulate and tune on later.

    Each line that you type meanwhile, or pipe in, is kept as a mark. With --ladder decisions are made as in a dry run:
    nothing is loaded. Ctrl-C or SIGTERM ends it in good order. A file that is there already is kept under another name.

    Exit codes: 0 recorded, 1 the file can't be written or the ladder can't be used, 2 wrong usage.
    """
    from ...pipeline.quantities import seconds, size
    from . import recorder
    from .progress import decisions_unlogged

    option = "--for"
    try:
        lasts = None if lasting is None else seconds(lasting)
        option = "--max-size"
        most = None if max_size is None else size(max_size)
        option = "--interval"
        wanted = recorder.Wanted(out, lasts, interval, most, keep)
    except ValueError as error:
        fail("record", f"{option}: {error}", 2)
    try:
        with decisions_unlogged():
            done = recorder.run(wanted, ladder)
    except (ValueError, ImportError) as error:
        fail("record", error)
    except OSError as error:
        refused = f"{error.filename or out}: {error.strerror}; name a file that can be written"
        fail("record", refused if error.strerror else error)
    recorder.show(done, as_json=as_json)
    raise typer.Exit(1 if done.end == "failed" else 0)
