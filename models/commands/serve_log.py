"""What a server logs on stderr, a line each."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ...pipeline.printable import clean_lines

_LOGGERS = ("gearshift", "uvicorn.error")


class _Line(logging.Formatter):
    """With the time of day, and nothing that a terminal might obey; a mistake keeps its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        return clean_lines(super().format(record))


@contextmanager
def logged(*, verbose: bool) -> Iterator[None]:
    """Meanwhile. verbose: every decision too."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Line("%(asctime)s %(levelname)s %(message)s"))
    levels = {"gearshift.serving": logging.INFO, "gearshift.pipeline": logging.INFO if verbose else logging.WARNING}
    loggers = [logging.getLogger(name) for name in (*_LOGGERS, *levels)]
    before = [(logger, logger.level, logger.propagate) for logger in loggers]
    for logger in loggers[: len(_LOGGERS)]:
        logger.addHandler(handler)
        logger.propagate = False
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    try:
        yield
    finally:
        for logger, level, propagate in before:
            logger.removeHandler(handler)
            logger.setLevel(level)
            logger.propagate = propagate
