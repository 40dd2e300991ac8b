"""Continuous monitoring plus a check before each operation."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import reactivex
from reactivex import Observable, Subject

from ..operators.typing import whole
from .decision_log import DecisionLog
from .decisions import decide
from .joining import join
from .monitored import Monitored
from .outlook import Outlook, OutlookWindow, outlook
from .performance import Performance
from .policy import Judge
from .preflight import Preflight, Seen, judge, silent
from .pretence import Pretence
from .rungs import Residency, Rung
from .running import Run, Runs
from .samples import Sample
from .settings import Settings
from .sources import Sampler, default_probes, event_time, live_by
from .streams import Streams
from .teller import Teller
from .tiers import machine_settings
from .words import Asked, Decision, Performed

if TYPE_CHECKING:
    from .views.live_cell import LiveCell

log = logging.getLogger("gearshift.pipeline")


class ProactiveScaler(Streams, Monitored):
    """Turns samples into decisions, live or from any source, and answers questions about the last of them.

    Args:
        ladder: rungs, best first; without rungs it watches and decides nothing.
        settings: `Settings`; by default those of `machine_settings()` (raises SettingsError where they can't be used).
        source: an Observable of samples; by default this machine, every `settings.interval` seconds.
        residencies: what is loaded, as a stream that tells it when it is subscribed to, as a BehaviorSubject does:
            it is followed while monitoring runs. Without it nothing is taken as loaded.
        sampler: what reads this machine; by default all its probes.
        dry_run: decide, explain, log and count as always, and take each decision as carried out at once, whatever
            `residencies` tells of what is really loaded (see `Pretence`). Nothing in it acts.
        teller: tells the subscribers; by default one of its own, where no source was given.

    `samples`, `outlooks`, `decisions` and `asked` (what this was asked for and told of) are hot. A subscriber that
    raises is logged and dropped; the stream goes on. Without `source` they are told by a thread that does nothing else:
    one that blocks holds up neither sampling nor decisions, and the others for a second at most; the newest 1,000 items
    wait for it. A source that was given tells them itself, on the thread that pushes, which waits for each, as
    everywhere in RxPY: `ops.observe_on` is for those that may block.
    Thread-safe: any method may be called from any thread at any time, from inside a subscriber too. A child that the
    app forks is not monitored until it is started there. For asyncio: `async with`; the questions take microseconds.

    >>> from gearshift.pipeline import load
    >>> ladder = [Rung("large", {"ram": 18_500_000_000}), Rung("small", {"ram": 4_000_000_000})]
    >>> samples = load("tests/recordings/leak.jsonl").stream()
    >>> scaler = ProactiveScaler(ladder, Settings(), samples, dry_run=True)
    >>> _ = scaler.decisions.subscribe(lambda made: print(f"{made.kind} to {made.target}: {made.reason.rule}"))
    >>> with scaler:
    ...     pass
    upgrade to large: fits
    downgrade to small: forecast
    """

    def __init__(
        self,
        ladder: Sequence[Rung] = (),
        settings: Settings | None = None,
        source: Observable[Sample] | None = None,
        *,
        residencies: Observable[Residency] | None = None,
        sampler: Sampler | None = None,
        dry_run: bool = False,
        teller: Teller | None = None,
    ) -> None:
        super().__init__(teller, given=source is not None)
        self.ladder = list(ladder)
        self.settings = settings or machine_settings()
        self._judge = Judge(self.ladder, self.settings) if self.ladder else None  # refuses what can't be used
        self._source = source
        self._runs = Runs(lambda: Sampler(default_probes(budget=self.settings.budget)), sampler)
        self._looked: Subject[Any] = Subject()
        self.performance = Performance()
        self._lock = threading.Lock()
        self._log = DecisionLog(dry_run=dry_run)
        self._pretence = Pretence(self.ladder) if dry_run else None
        self._seen: Seen | None = None
        self._residency = Residency(time=float("-inf"))
        self._residencies: Subject[Residency] = Subject()
        self._given = residencies or reactivex.never()
        self._know(self.ladder)

    def _know(self, ladder: Sequence[Rung]) -> None:
        self.ladder = list(ladder)
        self._rungs: dict[str | None, Rung] = {rung.name: rung for rung in self.ladder}
        self._pools = frozenset(pool for rung in self.ladder for pool in (*rung.need, *rung.per_token))

    @property
    def counts(self) -> dict[tuple[str, str, str], int]:
        """How many decisions there were since this was made, by (kind, urgency, rule); a snapshot.

        For example `{("downgrade", "planned", "forecast"): 2}`.
        """
        return self._log.counts

    @property
    def rung(self) -> str | None:
        """The name of what is loaded, as it was told last; None for nothing."""
        return self._residency.rung

    def start_continuous_monitoring(self) -> bool:
        """Begin to sample. Harmless when it runs already; may be started again after a stop, or an end of its own.

        Returns False where it ran already.
        """
        run = self._runs.begin(sampling=self._source is None)
        if run is None:
            return False
        try:
            self._connect(run)
        except BaseException:
            self._runs.stop()
            raise
        return True

    @property
    def monitoring(self) -> Observable[None]:
        """Completes when monitoring is stopped or its source ends; at once where it doesn't run."""
        return self._runs.life

    def watch(self, window: float = 60.0) -> "LiveCell":
        """A live picture for a notebook's cell: what it sees, what it did and why, over the last `window` seconds.

        It monitors while the picture is on the page, and leaves monitoring that was running before as it was. It ends
        when the cell is run again, cleared or closed, when monitoring stops, or by its `close()`.

        Raises:
            ImportError: where anywidget isn't installed. RuntimeError: outside a notebook.
            ValueError: for a window that isn't above 0.
        """
        from .views.watching import watch

        return watch(self, window)

    def _connect(self, run: Run) -> None:
        broken = self._broken(run)
        if self.ladder:
            decided = self._looked.pipe(decide(self.ladder, self.settings))
            run.hold(decided.subscribe(run.relay(self._announce), broken))
        looked = join(self._samples, self._residencies, self._asked).pipe(outlook(self.settings))
        run.hold(looked.subscribe(run.relay(self._look), broken))
        if self._residency.time > float("-inf"):
            self._residencies.on_next(self._residency)  # known from an earlier run
        run.hold(self._given.subscribe(run.relay(self._remember), broken))
        # connected last: whoever subscribed before the start sees the first sample
        source = live_by(run.sampler, self.settings) if run.sampler is not None else self._source
        assert source is not None
        run.hold(source.subscribe(run.relay(self._samples.on_next), broken, run.end))

    def stop_continuous_monitoring(self) -> None:
        """End sampling; the sampler's thread is gone when this returns. Harmless when nothing runs.

        Called from inside a subscriber of this scaler's streams, it returns at once: no further item is delivered, and
        the thread is gone soon after that subscriber returns.
        """
        self._last(self._runs.stop)

    def check_preflight_resources(
        self, operation: str = "generate", rung: str | None = None, *, tokens: int = 0
    ) -> Preflight:
        """Does `operation` fit now, on `rung` or on the resident one? Unpacks as `ok, reason`; see `Preflight`.

        It goes by the last sample, if that is no older than three intervals, which takes some 10 µs. Else it reads the
        pools of the ladder once: some 60 µs for RAM, as long as the driver takes for a GPU. Where a source was given,
        there is nothing else to read, and the answer is no.

        Args:
            operation: its name, for the reason.
            rung: by name; the resident one by default (in a dry run, the one that would be resident).
            tokens: how many its context will come to. Those beyond the rung's `context` add `per_token` bytes each.

        Raises:
            ValueError: for a rung that is not on the ladder, or for tokens below 0.
            TypeError: for tokens that are no whole number.
        """
        tokens = whole("tokens", tokens, least=0)
        resident = self._residency.rung
        chosen = self._rungs.get(resident) if rung is None else self._named(rung)

        def judged(by: Outlook) -> Preflight:
            return judge(by, self.ladder, chosen, self.settings, operation=operation, tokens=tokens, loaded=resident)

        seen = self._seen
        recent = self._recent(seen)
        if recent is not None:
            return judged(recent)
        if seen is None:
            return silent(operation, None, 0.0)
        return silent(operation, judged(seen.outlook), event_time() - seen.arrived)

    def analyze_resource_trends(self) -> Outlook:
        """The newest outlook, or one from a fresh reading when none has come yet."""
        seen = self._seen
        return seen.outlook if seen else OutlookWindow(self.settings).sample(self._runs.sampler().take())

    def should_upgrade_model(self) -> bool:
        """Would a better rung than the resident one fit under the growth ceiling now? Says nothing of for how long.

        Goes by what `check_preflight_resources` does; False while that can't tell.
        """
        recent = self._recent(self._seen)
        if recent is None or self._judge is None:
            return False
        found = self._judge.assess(recent, self._residency, {})
        return found.grow_to > found.rank

    def initiate_graceful_degradation(self, reason: str, immediate: bool = False) -> Decision | None:
        """Ask for the next smaller rung. Returns the decision, None when there is nothing smaller or nothing loaded.

        reason: words for people, kept in the decision. immediate: not to wait for the reply in progress.
        Where a source was given, it returns None from inside a subscriber of `decisions` too: the next decision is made
        when that one is told.
        """
        seen, here = self._seen, threading.get_ident()
        if seen is None:
            return None
        made: list[Decision] = []

        def take(decision: Decision) -> None:
            if threading.get_ident() == here:  # another thread's decision may be for the same reason
                made.append(decision)

        # no lock of ours is held here: a subscriber of decisions may call back from another thread
        with self._decisions.subscribe(take):
            self._asked.on_next(Asked(seen.outlook.time, reason, immediate))
        return next((d for d in made if d.reason.rule == "asked" and d.reason.detail == reason), None)

    def record_performance(self, operation: str, seconds: float, ok: bool) -> None:
        """Feed back that `operation` on the resident rung took so many `seconds`, and whether it went well (`ok`).

        A rung that fails or is slow too often is left. Raises TypeError, ValueError for seconds that can't be.
        """
        with self._lock:
            self.performance.record(operation, seconds, ok)
        seen = self._seen
        at = seen.outlook.time if seen is not None else 0.0
        self._asked.on_next(Performed(at, operation, seconds, ok, self._residency.rung))

    def _recent(self, seen: Seen | None) -> Outlook | None:
        """What was seen if fresh, else the ladder's pools as they are now; None where a given source is silent."""
        if seen is not None and not seen.stale(event_time(), self.settings.interval):
            return seen.outlook
        if self._source is not None:
            return None
        sample = self._runs.sampler().take_pools(self._pools)
        return OutlookWindow(self.settings).sample(sample)

    def _named(self, name: str) -> Rung:
        if name not in self._rungs:
            raise ValueError(f"no rung named {name!r} on the ladder; there are {list(self._rungs)}")
        return self._rungs[name]

    def _look(self, seen: Any) -> None:
        if type(seen) is Outlook:
            # a given source's samples may be of another clock than this machine's, so there it counts when they come
            self._seen = Seen(seen, seen.time if self._source is None else event_time())
            self._outlooks.on_next(seen)
            if self._pretence is not None:
                seen = self._pretence.shown(seen)
        self._looked.on_next(seen)

    def _remember(self, residency: Residency) -> None:
        if self._pretence is None or self._pretence.believes(residency):
            self._reside(residency)

    def _reside(self, residency: Residency) -> None:
        self._residency = residency
        if residency.need and self._judge is not None:
            self._judge.learn(residency)
            self._know(self._judge.ladder)
        self._residencies.on_next(residency)

    def _announce(self, decision: Decision) -> None:
        self._log.write(decision)
        self._decisions.on_next(decision)
        if self._pretence is not None:
            self._reside(self._pretence.done(decision))

    def _broken(self, run: Run) -> Callable[[Exception], None]:
        def tell(error: Exception) -> None:
            run.end()
            log.error("the stream of samples or decisions broke: %s; start monitoring again", error, exc_info=error)

        return tell
