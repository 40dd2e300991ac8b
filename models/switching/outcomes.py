"""How each action ended, with its times and bytes, and the streams that tell it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import msgspec
from reactivex import Observable, Subject

from ...pipeline.rungs import Residency
from ...pipeline.shielding import shielded
from ...pipeline.words import Decision
from ..hosts import Freed


class Outcome(msgspec.Struct, frozen=True):
    """How an action ended. kind: loaded, unloaded, handed over, skipped, superseded, failed (`reason` says why).

    Times are seconds, `time` on the clock of the samples, and sizes bytes.

    time: when, on the clock of the samples. seconds: in all; of these `waited` for replies to end, `unload` until the
    memory was back, and `load`. freed: by all unloads. held: bytes by pool that what was loaded was measured to hold.
    lost: the rung had been loaded, by this very decision, and is gone; `reason` says how. course: `wait`, `unload` and
    `load` as they came, each with the seconds, on the same clock, at which it began and ended.
    """

    kind: str
    decision: Decision
    time: float
    seconds: float = 0.0
    waited: float = 0.0
    unload: float = 0.0
    load: float = 0.0
    freed: Freed = Freed(0, 0)
    held: dict[str, int] = {}
    reason: str = ""
    lost: bool = False
    course: tuple[tuple[str, float, float], ...] = ()

    def _repr_html_(self) -> str:
        from ...pipeline.views.html import record_html

        return record_html(self)


class Account:
    """What one action has cost so far."""

    def __init__(self, decision: Decision, clock: Callable[[], float]) -> None:
        self.decision, self._clock, self._began = decision, clock, clock()
        self.freed = Freed(0, 0)
        self.held: dict[str, int] = {}
        self.need: dict[str, int] = {}
        self._course: list[tuple[str, float, float]] = []

    @property
    def seconds(self) -> float:
        return self._clock() - self._began

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Add what is done within to `wait`, `unload` or `load`."""
        began = self._clock()
        try:
            yield
        finally:
            self._course.append((part, began, self._clock()))

    def add(self, freed: Freed) -> None:
        self.freed = Freed(self.freed.expected + freed.expected, self.freed.got + freed.got)

    def outcome(self, kind: str, reason: str) -> Outcome:
        took = {"wait": 0.0, "unload": 0.0, "load": 0.0}
        for part, began, ended in self._course:
            took[part] += ended - began
        seconds, course = self.seconds, tuple(self._course)
        return Outcome(
            kind, self.decision, self._clock(), seconds, took["wait"], took["unload"], took["load"],
            self.freed, self.held, reason, course=course,
        )  # fmt: skip


class Told:
    """Outcomes and residencies as streams. All is told from one thread, in order."""

    def __init__(self, clock: Callable[[], float], rung: Callable[[], str | None]) -> None:
        self._clock, self._rung = clock, rung
        self._outcomes: Subject[Outcome] = Subject()
        self._residencies: Subject[Residency] = Subject()
        self.outcomes: Observable[Outcome] = shielded(self._outcomes)
        self.residencies: Observable[Residency] = shielded(self._residencies)

    def outcome(self, outcome: Outcome) -> None:
        self._outcomes.on_next(outcome)

    def superseded(self, decision: Decision) -> None:
        """One that was never begun."""
        self.outcome(Outcome("superseded", decision, self._clock()))

    def residency(
        self,
        state: str = "",
        *,
        failed: str | None = None,
        seconds: float = 0.0,
        need: Mapping[str, int] | None = None,
    ) -> None:
        """What is loaded now; `state` by default as that says."""
        rung = self._rung()
        state = state or ("empty" if rung is None else "ready")
        self._residencies.on_next(Residency(self._clock(), state, rung, failed, seconds, dict(need or {})))
