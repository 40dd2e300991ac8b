"""Bounded waiting on a condition, and work that goes on meanwhile."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def until(holds: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"it did not come about within {seconds:g} s"
        threading.Event().wait(0.005)


@contextmanager
def meanwhile(work: Callable[[], object], every: float = 0.0) -> Iterator[None]:
    """`work` is done again and again by another thread, with so many seconds between. What fails there fails here."""
    done, failed = threading.Event(), list[BaseException]()

    def go_on() -> None:
        try:
            while not done.wait(every):
                work()
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)

    worker = threading.Thread(target=go_on)
    worker.start()
    try:
        yield
    finally:
        done.set()
        worker.join()
        assert failed == []
