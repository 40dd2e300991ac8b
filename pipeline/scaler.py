"""Continuous monitoring plus a check before each operation."""

import logging
import threading
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import reactivex
from reactivex import Observable, Subject, abc
from reactivex import operators as ops
from reactivex.disposable import CompositeDisposable, SerialDisposable

from .decider import Decider
from .decisions import decide
from .joining import join
from .outlook import Outlook, OutlookWindow, outlook
from .performance import Performance
from .policy import Judge, Residency, Rung, room
from .samples import Sample
from .settings import Settings
from .sources import Sampler, default_probes, live_by
from .tiers import machine_settings
from .words import GIB, Asked, Decision, Performed

log = logging.getLogger("gearshift.pipeline")


class Preflight(NamedTuple):
    """May the operation start? Unpacks as `ok, reason`."""

    ok: bool
    reason: str


class ProactiveScaler:
    """Turns samples into decisions, live or from any source, and answers questions about the last of them.

    Args:
        ladder: rungs, best first; without rungs it watches and decides nothing.
        settings: `Settings`; by default this machine's tier (raises TierError where GEARSHIFT_TIERS names a bad file).
        source: an Observable of samples; by default this machine, every `settings.interval` seconds.
        residencies: what is loaded, as a stream; without it nothing is taken as loaded.
        sampler: what reads this machine; by default all its probes.

    `samples`, `outlooks` and `decisions` are hot. A subscriber that raises is logged and dropped; the stream goes on.
    """

    def __init__(
        self,
        ladder: Sequence[Rung] = (),
        settings: Settings | None = None,
        source: Observable[Sample] | None = None,
        *,
        residencies: Observable[Residency] | None = None,
        sampler: Sampler | None = None,
    ) -> None:
        self.ladder = list(ladder)
        self.settings = settings or machine_settings()
        if self.ladder:
            Decider(self.ladder, self.settings)  # so that a ladder that can't be used is refused here
        self._given_sampler, self._source = sampler, source
        self._own_sampler: Sampler | None = None
        self._samples: Subject[Sample] = Subject()
        self._outlooks: Subject[Outlook] = Subject()
        self._decisions: Subject[Decision] = Subject()
        self._asked: Subject[Asked | Performed] = Subject()
        self._looked: Subject[Any] = Subject()
        self.samples, self.outlooks, self.decisions = map(shielded, (self._samples, self._outlooks, self._decisions))
        self.performance = Performance()
        self._lock = threading.RLock()
        self._running: abc.DisposableBase | None = None
        self._last: Outlook | None = None
        self._residency = Residency(time=float("-inf"))
        self._given = residencies or reactivex.never()

    def start_continuous_monitoring(self) -> None:
        """Begin to sample. Harmless when it runs already; may be started again after a stop."""
        with self._lock:
            if self._running is not None:
                return
            known = self._given.pipe(ops.do_action(self._remember))
            looked = join(self._samples, known, self._asked).pipe(outlook(self.settings))
            wires: Iterable[abc.DisposableBase] = []
            if self.ladder:
                decided = self._looked.pipe(decide(self.ladder, self.settings))
                wires = [decided.subscribe(self._announce, self._broken)]
            wires = [*wires, looked.subscribe(self._look, self._broken)]
            # connected last: whoever subscribed before the start sees the first sample
            source = live_by(self._sampler(), self.settings) if self._source is None else self._source
            started = source.subscribe(self._samples.on_next, self._broken)
            self._running = CompositeDisposable(started, *wires)

    def stop_continuous_monitoring(self) -> None:
        """End sampling; the sampler's thread is gone when this returns. Harmless when nothing runs."""
        with self._lock:
            running, self._running = self._running, None
        if running is not None:
            running.dispose()
        with self._lock:
            sampler, self._own_sampler = self._own_sampler, None
        if sampler is not None:
            sampler.close()

    def __enter__(self) -> "ProactiveScaler":
        self.start_continuous_monitoring()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop_continuous_monitoring()

    def check_preflight_resources(self, operation: str = "generate", rung: str | None = None) -> Preflight:
        """Does `operation` fit now, on `rung` or on the resident one? Reads the machine if there is no sample yet.

        Raises ValueError for a rung that is not on the ladder.
        """
        chosen = self._named(rung if rung is not None else self._residency.rung)
        seen = self._last or self.analyze_resource_trends()
        if chosen is None:
            return Preflight(False, f"{operation}: no rung is loaded")
        here = room(seen, chosen, ceiling=self.settings.critical, horizon=0)
        if here is None:
            return Preflight(False, f"{operation}: the memory that {chosen.name} needs can't be read")
        numbers = (
            f"{chosen.name} needs {here.need / GIB:.2f} GiB in {here.pool}, others hold {here.external / GIB:.2f} GiB, "
            f"the limit is {here.ceiling:.0%} of {here.total / GIB:.2f} GiB"
        )
        return Preflight(here.fits, f"{operation}: {'fits' if here.fits else 'does not fit'}: {numbers}")

    def analyze_resource_trends(self) -> Outlook:
        """The newest outlook, or one from a fresh reading when none has come yet."""
        return self._last or OutlookWindow(self.settings).sample(self._sampler().take())

    def should_upgrade_model(self) -> bool:
        """Would a better rung than the resident one fit under the growth ceiling now? Says nothing of for how long."""
        if not self.ladder:
            return False
        seen = Judge(self.ladder, self.settings).assess(self.analyze_resource_trends(), self._residency, {})
        return seen.grow_to > seen.rank

    def initiate_graceful_degradation(self, reason: str, immediate: bool = False) -> Decision | None:
        """Ask for the next smaller rung. Returns the decision, None when there is nothing smaller or nothing loaded."""
        seen = self._last
        if seen is None:
            return None
        made: list[Decision] = []
        # no lock of ours is held here: a subscriber of decisions may call back from another thread
        with self._decisions.subscribe(made.append):
            self._asked.on_next(Asked(seen.time, reason, immediate))
        return next((d for d in made if d.reason.rule == "asked" and d.reason.detail == reason), None)

    def record_performance(self, operation: str, seconds: float, ok: bool) -> None:
        """Feed back how an operation on the resident rung went. A rung that fails or is slow too often is left."""
        self.performance.record(operation, seconds, ok)
        at = self._last.time if self._last is not None else 0.0
        self._asked.on_next(Performed(at, operation, seconds, ok, self._residency.rung))

    def _sampler(self) -> Sampler:
        """The one given, else one of our own, made when it is needed and closed when monitoring stops."""
        with self._lock:
            if self._given_sampler is not None:
                return self._given_sampler
            if self._own_sampler is None:
                self._own_sampler = Sampler(default_probes(budget=self.settings.budget))
            return self._own_sampler

    def _named(self, name: str | None) -> Rung | None:
        if name is None:
            return None
        for rung in self.ladder:
            if rung.name == name:
                return rung
        raise ValueError(f"no rung named {name!r} on the ladder; there are {[r.name for r in self.ladder]}")

    def _look(self, seen: Any) -> None:
        if type(seen) is Outlook:
            self._last = seen
            self._outlooks.on_next(seen)
        self._looked.on_next(seen)

    def _remember(self, residency: Residency) -> None:
        self._residency = residency

    def _announce(self, decision: Decision) -> None:
        log.info("%s", decision.explain(), extra={"decision": decision})
        self._decisions.on_next(decision)

    def _broken(self, error: Exception) -> None:
        log.error("the stream of samples or decisions broke: %s; start monitoring again", error, exc_info=error)


def shielded(subject: Observable[Any]) -> Observable[Any]:
    """The same items; an observer whose `on_next` raises is logged and dropped, and can't end the stream for others."""

    def subscribe(observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
        def on_next(item: Any) -> None:
            try:
                observer.on_next(item)
            except Exception:
                log.exception("a subscriber raised and was dropped; the stream goes on")
                own.dispose()

        own = SerialDisposable()
        own.disposable = subject.subscribe(on_next, observer.on_error, observer.on_completed, scheduler=scheduler)
        return own

    return reactivex.create(subscribe)
