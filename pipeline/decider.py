"""The state between an assessment and a decision: what is wanted, since when, and what is set aside."""

from collections.abc import Sequence
from typing import Any

from ..operators.lifting import NOTHING
from ..operators.typing import TICK
from .breaker import Breaker
from .growth import Growth, floor
from .outlook import Outlook
from .policy import Assessment, Judge
from .reasons import reason_for
from .rungs import Residency, Rung
from .settings import Settings
from .settling import Settling
from .stalls import Stalls
from .words import Asked, Decision, Performed


class Decider:
    """Everything by event time; bounded by the ladder and the shifts of an hour."""

    def __init__(self, ladder: Sequence[Rung], settings: Settings) -> None:
        self.judge = Judge(ladder, settings)
        self.settings = settings
        self._top = len(self.judge.ladder) - 1
        self._growth = Growth(self.judge.ladder, settings)
        latencies = {rung.name: rung.latency for rung in self.judge.ladder if rung.latency is not None}
        self._breaker = Breaker(settings.latency, settings.retry, latencies)
        self._stalls = Stalls(settings.stall)
        self._residency = Residency(time=float("-inf"))
        self._aside: dict[str, float] = {}
        self._wanted: int | None = None  # None: no decision is under way
        self._shed = self._urgent = self._thrashes = False
        self._settling = Settling(settings.settle)
        self._newest: float | None = None
        self._heard = float("-inf")  # of the newest residency, as long as no sample has told what clock they are of
        self._back = 0.0  # seconds that the samples' clock has gone back
        self._short_since: float | None = None
        self._last: Assessment | None = None
        self._silence = settings.silence

    def feed(self, item: Any) -> Any:
        """An outlook to its assessment; a residency, a request or a report is taken in, and may give a decision."""
        if type(item) is Outlook:
            return self.assess(item)
        if isinstance(item, Residency):
            return self.residency(item)
        if isinstance(item, Asked):
            return self._or_nothing(self._asked(item))
        if isinstance(item, Performed):
            return self._or_nothing(self._performed(item))
        raise TypeError(f"a decision stream takes samples, residencies, Asked and Performed, got {item!r}")

    @staticmethod
    def _or_nothing(decision: Decision | None) -> Any:
        return NOTHING if decision is None else decision

    def residency(self, residency: Residency) -> Any:
        before, self._residency = self._residency, residency
        now = self._newest  # on the samples' clock, whatever the sender's
        if now is None:
            now = self._heard = residency.time
        if residency.seconds > 0 and residency != before:
            self._growth.took(residency.seconds)
        if residency.failed is not None:
            self._aside[residency.failed] = self._breaker.open(residency.failed, now)
        if residency.need:
            self.judge.learn(residency)
            self._growth.learn(residency)
        if residency.state != "shifting":
            self._wanted = None
            if before.state == "shifting" or before.rung != residency.rung:
                self._settling.begin(now)
                self._growth.restart(now)
        if residency.state == "ready":
            self._shed = False
        return self._or_nothing(self._another(residency))

    def _another(self, residency: Residency) -> Decision | None:
        """When a rung has failed and left nothing loaded, the next one is tried without waiting for a sample."""
        last = self._last
        if residency.failed is None or residency.state != "empty" or last is None or self._shed:
            return None
        if not 0 <= residency.time - last.time <= self.settings.silence:
            return None
        a = self._last = self.judge.assess(last.outlook, residency, self._aside)
        return self._from_nothing(a) if a.known and a.shrink_to >= 0 else None

    def assess(self, outlook: Outlook) -> Assessment:
        time, newest = outlook.time, self._newest
        if newest is None or time - newest > self._silence or time < newest:
            self._short_since = None
            ahead = (self._heard if newest is None else newest) - time
            if 0 < ahead < float("inf"):
                self._set_back(ahead, began=newest is not None)
            self._growth.restart(time)
        self._newest = time
        sample = outlook.sample
        if sample.pressure or sample.alarm or self._stalls.busy:
            self._thrashes = self._stalls.update(sample)
        if self._aside:
            self._aside = {name: until for name, until in self._aside.items() if until > time}
        self._last = a = self.judge.assess(outlook, self._residency, self._aside)
        best, room = (a.fits, a.room) if a.residency.rung is None else (a.grow_to, a.grow_room)
        best = -1 if self._stalls.busy else best
        lacking = self.judge.lacking(room, best)
        if best != self._growth.fits or lacking != self._growth.lacking:
            self._growth.saw(time, best, lacking)
        if not self._settling.over:
            self._settling.update(outlook, self.judge.held(outlook, a.rank))
        return a

    def _set_back(self, seconds: float, *, began: bool) -> None:
        """Time goes on from so many seconds earlier: all that is remembered was as long ago as before."""
        self._aside = {name: until - seconds for name, until in self._aside.items()}
        self._settling.set_back(seconds)
        if began:
            self._back += seconds
        self._growth.set_back(seconds)
        self._breaker.set_back(seconds)

    def clock(self, a: Assessment) -> float:
        """Seconds on a clock that follows the samples' but never goes back."""
        return a.time + self._back

    def strain(self, a: Assessment) -> float:
        """What hysteresis watches. While a shift is under way or settling there is no planned shortage to see."""
        return a.strain if self._residency.state == "ready" and self._settling.over else 0.0

    def conclude(self, a: Assessment, short: bool, stable: int) -> Decision | None:
        """`short`: a shortage is in sight and has lasted. `stable`: the best rank that had room all along."""
        if not short:
            self._short_since = None
        elif self._short_since is None:
            self._short_since = a.time
        held = a.rank if self._wanted is None else self._wanted
        if a.critical or self._thrashes or self._wanted is not None:
            urgent = self._at_once(a, held)
            if urgent is not None:
                return urgent
        if self._wanted is not None or self._residency.state == "shifting" or not a.known:
            return None
        if self._residency.rung is None:
            return self._from_nothing(a)
        if not self._settling.over:
            return None
        if short and a.strain >= 1.0 and (a.rising or (a.over and self._sat_out(a.time))):
            lower = self.judge.within(a, a.rank, self._aside)
            if lower < a.rank:
                return self._decision(a, lower, "planned", "forecast")
        target = min(stable, a.grow_to, a.shrink_to)
        if target > a.rank:
            return self._grow(a, target)
        return None

    def _sat_out(self, time: float) -> bool:
        """A shortage without a rise has lasted longer than a spike would."""
        waited = self.settings.patience - self.settings.confirm
        return self._short_since is not None and time - self._short_since >= waited - TICK

    def _at_once(self, a: Assessment, held: int) -> Decision | None:
        target, why = self.judge.within(a, held, self._aside), a.critical
        if self._wanted is not None:
            coming = self.judge.danger(a.outlook, self.judge.held(a.outlook, held), coming=True)
            if not coming and self.judge.bears(a, held):
                target = held  # what is on its way will do
            elif held > a.rank:
                why = coming  # and what is there now may be no danger
        pending = self._wanted is not None and self._wanted < a.rank and not self._urgent
        if why and (target < held or pending) and not self._settling.hides(a.outlook):
            return self._decision(a, target, "immediate", why)
        if why and self._wanted is None and self._ready and not self._settling.hides(a.outlook):
            return self._out_of(a, why)
        if self._thrashes and self._wanted is None and self._settling.over and held > 0 and self._ready and a.known:
            lower = -1 if a.shrink_to < 0 else self.judge.below(a, held, self._aside)
            if lower >= 0 or a.shrink_to < 0:
                return self._decision(a, lower, "immediate", "stalls")
        return None

    def _out_of(self, a: Assessment, why: str) -> Decision | None:
        """Out of a rung that is not on the ladder, or that would fit by its need but holds more."""
        if a.rank < 0:
            return self._decision(a, a.shrink_to, "immediate", why)
        seen = a.outlook.pools
        swollen = any((s := seen.get(name)) and s.pool.own > need for name, need in self._rung(a.rank).need.items())
        if why != "critical" or not swollen:
            return None
        decision = self._decision(a, self.judge.out_of(a, a.rank, self._aside), "immediate", why)
        self._aside[self._rung(a.rank).name] = self._breaker.open(self._rung(a.rank).name, a.time)
        return decision

    @property
    def _ready(self) -> bool:
        return self._residency.state == "ready"

    def _grow(self, a: Assessment, target: int) -> Decision | None:
        if self._stalls.busy or not self._growth.in_budget(a.time):
            return None
        growth, seen = self._growth, a.outlook
        soon = float("inf")  # until a better one may be taken
        for rank in range(min(a.grow_to, a.shrink_to), a.rank, -1):
            if rank in growth.lacking or not self.judge.takes(a, rank, self._aside):
                continue
            lasted = growth.lasted(rank, a.time)
            left = growth.wait(seen, a.rank, rank) - lasted
            if rank <= target and left <= TICK and growth.pays(seen, a.rank, rank, soon):
                return self._decision(a, rank, "planned", "room", lasted=lasted)
            soon = min(soon, max(left, 0.0))
        return None

    def _from_nothing(self, a: Assessment) -> Decision | None:
        if not self._shed:
            if a.shrink_to >= 0:
                return self._decision(a, a.shrink_to, "planned", "fits")
            return self._decision(a, -1, "immediate", "nothing fits")
        if self._stalls.busy:
            return None
        for rank in range(a.fits, -1, -1):
            lasted = self._growth.lasted(rank, a.time)
            if lasted >= self.settings.recovery and self.judge.takes(a, rank, self._aside):
                return self._decision(a, rank, "planned", "recovered", lasted=lasted)
        return None

    def _asked(self, asked: Asked) -> Decision | None:
        return self._step_down(asked.reason, "asked", immediate=asked.immediate)

    def _performed(self, performed: Performed) -> Decision | None:
        seen = self._last.outlook.sample if self._last is not None else None
        why = self._breaker.performed(performed, seen)
        if why is None or performed.rung is None or performed.rung != self._residency.rung:
            return None
        if self._wanted is not None:
            return None  # it is being left already
        rule, words = why
        decision = self._step_down(words, rule)
        if decision is not None:
            now = performed.time if self._newest is None else self._newest
            self._aside[performed.rung] = self._breaker.open(performed.rung, now)
        return decision

    def _step_down(self, detail: str, rule: str, *, immediate: bool = False) -> Decision | None:
        if self._last is None:
            return None
        a = self.judge.assess(self._last.outlook, self._residency, self._aside)
        held = a.rank if self._wanted is None else self._wanted
        if held <= 0:
            return None
        target = self.judge.below(a, held, self._aside)
        if target < 0:
            return None
        self._growth.restart(a.time)
        return self._decision(a, target, "immediate" if immediate else "planned", rule, detail=detail)

    def _rung(self, rank: int) -> Rung:
        return self.judge.ladder[self._top - rank]

    def _decision(
        self, a: Assessment, target: int, urgency: str, rule: str, *, lasted: float = 0.0, detail: str = ""
    ) -> Decision:
        if target < 0 and a.shrink_to < 0 and rule in ("critical", "soon critical", "stalls"):
            rule = "nothing fits"
        chosen = self._rung(target).name if target >= 0 else None
        source, rank = a.residency.rung, a.rank
        if self._wanted is not None and self._wanted > max(rank, target):  # it is called off on its way
            rank, source = self._wanted, self._rung(self._wanted).name
        away = rank < 0 and source is not None and urgency == "immediate"  # from what is not on the ladder
        kind = "shed" if chosen is None else "upgrade" if target > rank and not away else "downgrade"
        self._shed, self._urgent = target < 0, urgency == "immediate"
        self._wanted = None if target < 0 and source is None else target
        self._growth.shifted(a.time, rank, target, free=self._urgent or rank < 0)
        about = target if kind == "upgrade" else 0 if rank < 0 or rule == "nothing fits" else rank
        reason = reason_for(
            rule,
            a,
            self.settings,
            rung=self._rung(about),
            up=kind == "upgrade",
            last=about == 0,
            lasted=lasted,
            back_after=self._back_after(a, kind, target, about),
            detail=detail,
        )
        return Decision(kind, source, chosen, urgency, a.time, reason)

    def _back_after(self, a: Assessment, kind: str, target: int, about: int) -> float:
        """Seconds for which there must have been room, or none, before the opposite is decided."""
        if kind == "upgrade":
            return self.settings.patience if about > 0 else 0.0
        if kind == "shed":
            return self.settings.recovery
        return self._growth.wait(a.outlook, target, about) if target < about else floor(self.settings)
