"""What is told between the turns of a chat, so that nothing breaks into a reply or a line that is being typed."""

import logging
import queue
import threading
import time
from types import TracebackType
from typing import NamedTuple

from rich.console import Console

from ...pipeline.words import Decision
from ..manager import ModelManager
from ..switching.outcomes import Outcome
from .plain import plain

_LOG, _DECISIONS = logging.getLogger("gearshift"), logging.getLogger("gearshift.pipeline")
_PATIENCE = 8.0
"""Seconds to wait for news of a first load: more than the first sample and its decision take."""


class _Told(NamedTuple):
    text: str
    style: str


class Between:
    """Gathers notices and warnings, and with `verbose` decisions and how they went, until `show` prints them on stderr.

    Entered, it takes over what gearshift logs, and hears of decisions from there: so it misses none, if it is entered
    before the manager is made. Thread-safe.
    """

    def __init__(self, *, verbose: bool) -> None:
        self.console = Console(stderr=True, highlight=False)
        self._verbose = verbose
        self._told: queue.SimpleQueue[_Told] = queue.SimpleQueue()
        self._handler = _Handler(self)
        self._news = threading.Event()
        self._coming: str | None = None
        self._shed = False

    def __enter__(self) -> "Between":
        self._propagated, _LOG.propagate = _LOG.propagate, False
        self._level = _DECISIONS.level
        _LOG.addHandler(self._handler)
        _DECISIONS.setLevel(logging.INFO)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _DECISIONS.setLevel(self._level)
        _LOG.removeHandler(self._handler)
        _LOG.propagate = self._propagated
        self.show()

    def follow(self, manager: ModelManager) -> None:
        """Hear of what a manager does, until it is shut down."""
        manager.notices.subscribe(lambda notice: self.add(str(notice), "bold"))
        manager.outcomes.subscribe(self._ended)

    def add(self, text: str, style: str = "dim") -> None:
        self._told.put(_Told(text, style))

    def show(self) -> None:
        """Print what has come since the last time."""
        while not self._told.empty():
            text, style = self._told.get()
            told = text if "\n" in text else f"[{text}]"
            self.console.print(plain(told, style), soft_wrap=not self.console.is_terminal)

    def wait_for_first(self, manager: ModelManager) -> None:
        """Until a rung is loaded, or nothing will be for now; with a spinner on a terminal."""
        quiet_since = time.monotonic()
        with self.console.status("Looking at the memory …", refresh_per_second=5) as status:
            while manager.rung is None and not self._shed:
                coming = self._coming
                if coming is not None:
                    quiet_since = time.monotonic()
                    status.update(plain(f"Loading {coming} …"))
                elif time.monotonic() - quiet_since > _PATIENCE:
                    return
                self._news.wait(0.2)
                self._news.clear()

    def decided(self, decision: Decision) -> None:
        """Something is to be loaded, or nothing."""
        self._coming, self._shed = decision.target, decision.target is None
        if self._verbose:
            self.add(decision.explain())
        self._news.set()

    def _ended(self, outcome: Outcome) -> None:
        self._coming = None
        if self._verbose:
            why = f": {outcome.reason}" if outcome.reason else ""
            self.add(f"{outcome.kind} {outcome.decision.target or 'all'} in {outcome.seconds:.1f} s{why}")
        self._news.set()


class _Handler(logging.Handler):
    """Warnings are told; decisions have a notice, or are told where that was asked for."""

    def __init__(self, between: Between) -> None:
        super().__init__(logging.INFO)
        self._between = between

    def emit(self, record: logging.LogRecord) -> None:
        decision = getattr(record, "decision", None)
        if isinstance(decision, Decision):
            self._between.decided(decision)
        elif record.levelno >= logging.WARNING:
            self._between.add(record.getMessage())
