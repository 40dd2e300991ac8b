"""What is logged while a long run lasts goes to a file that can't grow, as in an app that runs for weeks."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path


@contextmanager
def logged_to(path: Path) -> Iterator[None]:
    """Nothing reaches the terminal, nor what a test runner keeps of records for each test."""
    log = logging.getLogger("gearshift")
    before = log.propagate, log.level
    handler = RotatingFileHandler(path, maxBytes=1 << 20, backupCount=1, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    log.propagate = False
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.propagate = before[0]
        log.setLevel(before[1])
        handler.close()
