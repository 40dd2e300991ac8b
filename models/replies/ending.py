"""An end that comes once, whoever asks for it, and from wherever."""

import threading
from collections.abc import Callable


class Ending:
    """Runs `close` once. Thread-safe."""

    def __init__(self, close: Callable[[], None]) -> None:
        self._close = close
        self._lock = threading.Lock()
        self._by: int | None = None
        self._done = threading.Event()

    def begin(self, *, wait: bool) -> None:
        """Begin it where it hasn't begun.

        wait: until it is done. Else it runs in a thread of its own: for callers that `close` itself must wait for.
        """
        with self._lock:
            first = self._by is None
            if first:
                self._by = threading.get_ident()
        if first and wait:
            self._run()
        elif first:
            threading.Thread(target=self._run, name="gearshift-shutdown").start()
        elif wait and self._by != threading.get_ident():
            self._done.wait()

    def _run(self) -> None:
        self._by = threading.get_ident()
        try:
            self._close()
        finally:
            self._done.set()
