"""What a person sees while something takes its time, and what is not to be said twice."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def working(what: str) -> Iterator[None]:
    """A spinner beside `what` on stderr, where that is a terminal."""
    from rich.console import Console

    from .plain import plain

    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(plain(what)):
        yield


@contextmanager
def decisions_unlogged() -> Iterator[None]:
    """Decisions are printed by the command, so their log records are left out."""
    log = logging.getLogger("gearshift.pipeline")

    def other(record: logging.LogRecord) -> bool:
        return not hasattr(record, "decision")

    log.addFilter(other)
    try:
        yield
    finally:
        log.removeFilter(other)
