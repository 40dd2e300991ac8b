"""Decisions to actions, one at a time, on a thread of its own. The latest desired state wins."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
from reactivex import Observable, Subject

from ..pipeline.rungs import Residency
from ..pipeline.shielding import shielded
from ..pipeline.sources import event_time
from ..pipeline.words import Decision
from .generation import Brake
from .hosts import Host, Model
from .ladder import Ladder, ModelSpec

log = logging.getLogger("gearshift.models")


class Outcome(msgspec.Struct, frozen=True):
    """How an action ended. kind: loaded, unloaded, handed over, skipped, superseded, failed (`reason` says why)."""

    kind: str
    decision: Decision
    time: float
    seconds: float = 0.0
    freed: int = 0
    reason: str = ""


class Lease:
    """A reply's hold on a resident model. `brake` tells the reply to end; one that is stopped leases anew."""

    def __init__(self, spec: ModelSpec, model: Model) -> None:
        self.spec, self.model, self.brake = spec, model, Brake()


class Switcher:
    """`submit` never blocks. `leased` waits while a shift is under way.

    Args:
        fits_beside: says whether a rung fits next to what is loaded, from a fresh reading (make before break).
        clock: seconds on the clock of the samples.
    """

    def __init__(
        self,
        ladder: Ladder,
        host: Host,
        fits_beside: Callable[[str], bool],
        clock: Callable[[], float] = event_time,
    ) -> None:
        self._ladder, self._host, self._fits_beside, self._clock = ladder, host, fits_beside, clock
        self._changed = threading.Condition()
        self._wanted: Decision | None = None
        self._current: tuple[ModelSpec, Model] | None = None
        self._leases: set[Lease] = set()
        self._acting = self._closed = False
        self._outcomes: Subject[Outcome] = Subject()
        self._residencies: Subject[Residency] = Subject()
        self.outcomes: Observable[Outcome] = shielded(self._outcomes)
        self.residencies: Observable[Residency] = shielded(self._residencies)
        self._thread = threading.Thread(target=self._run, name="gearshift-switcher", daemon=True)
        self._thread.start()

    @property
    def rung(self) -> str | None:
        with self._changed:
            return self._current[0].name if self._current else None

    @property
    def idle(self) -> bool:
        """Nothing is under way and nothing waits."""
        with self._changed:
            return not self._acting and self._wanted is None

    def submit(self, decision: Decision) -> None:
        with self._changed:
            stale, self._wanted = self._wanted, None if self._closed else decision
            if decision.urgency == "immediate":
                self._brake()
            self._changed.notify_all()
        if stale is not None:
            self._outcomes.on_next(Outcome("superseded", stale, self._clock()))

    @contextmanager
    def leased(self, timeout: float | None = None) -> Iterator[Lease | None]:
        """Hold what is loaded, waiting for a shift to end. None when nothing is loaded and nothing is on its way."""
        with self._changed:
            settled = self._changed.wait_for(
                lambda: self._closed or (self._current is not None and not self._blocked()) or self._at_rest(), timeout
            )
            if not settled or self._current is None or self._closed:
                lease = None
            else:
                lease = Lease(*self._current)
                self._leases.add(lease)
        try:
            yield lease
        finally:
            if lease is not None:
                with self._changed:
                    self._leases.discard(lease)
                    self._changed.notify_all()

    def close(self) -> None:
        """Brake replies, finish the action under way, unload, end the thread. Idempotent."""
        with self._changed:
            self._closed, self._wanted = True, None
            self._brake()
            self._changed.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _blocked(self) -> bool:
        return self._draining or (self._wanted is not None and self._wanted.urgency == "immediate")

    _draining = False

    def _at_rest(self) -> bool:
        return self._current is None and not self._acting and self._wanted is None

    def _brake(self) -> None:
        for lease in self._leases:
            lease.brake.stop()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted is not None or self._closed)
                if self._closed:
                    break
                decision, self._wanted, self._acting = self._wanted, None, True
            assert decision is not None
            try:
                self._act(decision)
            except Exception as error:  # noqa: BLE001 - whatever a host raises, the next decision must be served
                self._fail(decision, f"{type(error).__name__}: {error}")
            finally:
                with self._changed:
                    self._acting = self._draining = False
                    self._changed.notify_all()
        self._unload()

    def _act(self, decision: Decision) -> None:
        began = self._clock()
        if decision.target == self.rung:
            self._tell("ready" if decision.target else "empty")
            self._outcomes.on_next(Outcome("skipped", decision, self._clock(), reason="it is what is loaded"))
            return
        self._tell("shifting")
        spec = self._ladder.named(decision.target) if decision.target is not None else None
        if (
            self._current is not None
            and spec is not None
            and decision.urgency == "planned"
            and self._fits_beside(spec.name)
        ):
            made = (spec, self._host.load(spec))
            if not self._drain(decision):
                self._host.unload(*self._named(made))
                return  # the newer decision tells how it goes on
            freed = self._replace(made)
        else:
            if self._current is not None and not self._drain(decision):
                return
            freed = self._replace(None)
            if spec is not None:
                loaded = (spec, self._host.load(spec))
                with self._changed:
                    self._current = loaded
        took = self._clock() - began
        kind = "unloaded" if spec is None else "handed over" if decision.source else "loaded"
        self._tell("ready" if spec else "empty", seconds=took)
        self._outcomes.on_next(Outcome(kind, decision, self._clock(), took, freed))

    def _drain(self, decision: Decision) -> bool:
        """Wait until no reply holds the model. False when a newer decision has come first and this one is dropped."""
        with self._changed:
            self._draining = True
            if decision.urgency == "immediate":
                self._brake()
            self._changed.wait_for(lambda: not self._leases or self._wanted is not None or self._closed)
            if self._wanted is None and not self._closed:
                return True
            self._draining = False
        self._outcomes.on_next(Outcome("superseded", decision, self._clock()))
        return False

    def _replace(self, new: tuple[ModelSpec, Model] | None) -> int:
        with self._changed:
            old, self._current = self._current, new
        return self._host.unload(*self._named(old)).got if old is not None else 0

    @staticmethod
    def _named(loaded: tuple[ModelSpec, Model]) -> tuple[str, Model]:
        return loaded[0].name, loaded[1]

    def _unload(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._leases)
        if self._current is not None:
            self._replace(None)
            self._tell("empty")

    def _fail(self, decision: Decision, reason: str) -> None:
        log.error("could not shift to %s: %s", decision.target, reason)
        self._tell("ready" if self._current else "empty", failed=decision.target)
        self._outcomes.on_next(Outcome("failed", decision, self._clock(), reason=reason))

    def _tell(self, state: str, *, failed: str | None = None, seconds: float = 0.0) -> None:
        self._residencies.on_next(Residency(self._clock(), state, self.rung, failed, seconds))
