"""What the end user is told: only after a loss, in plain words, with something that would help."""

import logging
import threading
from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct
from reactivex import Observable, Subject

from ...pipeline.rungs import Residency
from ...pipeline.samples import Pool, Sample
from ...pipeline.shielding import shielded
from ...pipeline.words import Decision
from ..failures import ModelError, out_of_memory
from ..ladders.ladder import Ladder
from ..switching.switcher import Outcome
from .suggestions import Suggestions
from .wording import Wording

log = logging.getLogger("gearshift.models")

APART = 60.0
"""Seconds from one notice to the next, at least."""

LONG = 24 * 3600.0
"""Seconds on a lower rung after which it is said once what would help."""


class Notice(Struct, frozen=True):
    """time: of the change, seconds on the clock of the samples. text: what changed. suggestions: what would help.

    kind: `memory`, `slow`, `failing`, `asked`: answers come from a smaller rung because of that. `paused`: from none.
    `lasting`: they have come from a lower rung for long.
    """

    time: float
    text: str
    suggestions: tuple[str, ...]
    kind: str = "memory"

    def __str__(self) -> str:
        return " ".join((self.text, *self.suggestions))

    def _repr_html_(self) -> str:
        from ...pipeline.views.html import record_html

        return record_html(self, headline=str(self), fields=("time", "kind"))


class _Change(NamedTuple):
    """A loss: `kind` as in Notice, the rung now (None: paused) and the one before."""

    time: float
    kind: str
    rung: str | None
    before: str


class Notices:
    """Turns the outcomes of shifts into notices: none on the way up, one a shift, one a minute at most.

    A change that comes too soon after a notice is told when the minute is over, if it still holds. Time is that of the
    samples. Notices are made on a thread of their own, as that may look at every process. Thread-safe.
    """

    def __init__(self, ladder: Ladder, wording: Wording, suggestions: Suggestions) -> None:
        self._ladder, self._wording, self._suggestions = ladder, wording, suggestions
        self._told: Subject[Notice] = Subject()
        self.stream: Observable[Notice] = shielded(self._told)
        self._ranks = {spec.name: rank for rank, spec in enumerate(ladder)}
        self._lock = threading.Lock()
        self._held: str | None = None  # what answers came from last
        self._resident: str | None = None
        self._because: tuple[str, str] = ("", "")
        self._cause = "memory"
        self._now = self._last = float("-inf")
        self._pools: Mapping[str, Pool | None] = {}
        self._pending: _Change | None = None
        self._below: float | None = None  # since when
        self._long_told = False
        self._makers: list[threading.Thread] = []

    def because(self, words: str, cause: str) -> None:
        """A downgrade is about to be asked for in these words; the cause is one of `kind` in Notice."""
        with self._lock:
            self._because = (words, cause)

    def sampled(self, sample: Sample) -> None:
        """Take a sample: its time, and what there is of memory."""
        with self._lock:
            self._now, self._pools = sample.time, sample.pools
            if self._below is not None:
                self._below = min(self._below, self._now)  # where the clock has gone back
            due = self._pending or self._lasting()
            if due is None or 0 <= self._now - self._last < APART:
                return
            self._pending = None
            self._long_told = self._long_told or due.kind == "lasting"
            self._make(due)

    def resided(self, residency: Residency) -> None:
        """Take what is loaded now. Outcomes follow, and say why."""
        with self._lock:
            self._resident = residency.rung if residency.state == "ready" else None

    def ended(self, outcome: Outcome) -> None:
        """Take the outcome of an action."""
        with self._lock:
            change = self._change(outcome)
            if change is None:
                return
            if 0 <= change.time - self._last < APART:
                self._pending = change
                return
            self._make(change)

    def close(self) -> None:
        """Wait until a notice that is being made is told."""
        for maker in list(self._makers):
            if maker is not threading.current_thread():
                maker.join(timeout=5)

    def _lasting(self) -> _Change | None:
        if self._held is None or self._below is None or self._long_told or self._now - self._below < LONG:
            return None
        return _Change(self._now, "lasting", self._held, self._ladder[0].name)

    def _change(self, outcome: Outcome) -> _Change | None:
        decision, before, now = outcome.decision, self._held, self._resident
        time = self._now if self._now > float("-inf") else decision.time
        if outcome.kind == "failed" and decision.target == before and decision.kind != "shed":
            # it had been loaded by that decision, and is lost
            self._cause = "memory" if out_of_memory(ModelError(outcome.reason)) else "failing"
        elif decision.kind != "upgrade":
            self._cause = self._cause_of(decision)
        if outcome.kind == "unloaded":
            self._held = self._pending = None
            return _Change(time, "paused", None, before) if before is not None else None
        if now is None or now == before:
            return None
        self._held, self._pending = now, None
        rank = self._ranks[now]
        if rank == 0:
            self._below, self._long_told = None, False
        elif self._below is None:
            self._below = time
        if before is None or rank <= self._ranks[before]:
            return None
        return _Change(time, self._cause, now, before)

    def _cause_of(self, decision: Decision) -> str:
        words, cause = self._because
        rule = decision.reason.rule
        if rule == "asked":
            return cause if words and decision.reason.detail == words else "asked"
        return rule if rule in ("slow", "failing") else "memory"

    def _make(self, change: _Change) -> None:
        self._last = change.time
        hours = (change.time - self._below) / 3600 if self._below is not None else 0.0
        words = {"rung": change.rung, "before": change.before, "best": change.before, "hours": hours}
        text = self._wording.text("notice", change.kind, **words)
        maker = threading.Thread(target=self._tell, args=(change, text), name="gearshift-notice", daemon=True)
        self._makers = [*(each for each in self._makers if each.is_alive()), maker]
        maker.start()

    def _tell(self, change: _Change, text: str) -> None:
        try:
            suggestions = self._suggest(change)
        except Exception:
            log.exception("no suggestions could be made; the notice is told without")
            suggestions = []
        self._told.on_next(Notice(change.time, text, tuple(suggestions), change.kind))

    def _suggest(self, change: _Change) -> list[str]:
        if change.kind == "slow":
            return self._suggestions.for_speed()
        if change.kind in ("failing", "asked"):
            return self._suggestions.for_waiting()
        spec, count = self._ladder.named(change.before), 2
        if change.kind == "paused":
            spec = self._ladder[-1]
        if change.kind == "lasting":
            count = 3
        return self._suggestions.for_memory(spec, self._pools, count=count, last=change.rung is None)
