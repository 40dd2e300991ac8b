"""The state between an assessment and a decision: what is wanted, since when, and what is set aside."""

from collections import deque
from collections.abc import Sequence
from typing import Any

from ..operators.lifting import NOTHING
from .outlook import Outlook
from .policy import Assessment, Residency, Room, Rung, assess, room
from .settings import Settings
from .words import Asked, Decision, Reason

_REMEMBERED_SHIFTS = 5


class Decider:
    """Everything by event time; bounded by the ladder and the last five shifts."""

    def __init__(self, ladder: Sequence[Rung], settings: Settings) -> None:
        if not ladder:
            raise ValueError("ladder must hold at least one rung, got an empty one")
        for rung in ladder:
            if not isinstance(rung, Rung):
                raise TypeError(f"ladder must hold Rung objects, best first, got {rung!r}")
        names = [rung.name for rung in ladder]
        if len(set(names)) != len(names):
            raise ValueError(f"rung names must differ, got {names}")
        self.ladder, self.settings = list(ladder), settings
        self._residency = Residency(time=float("-inf"))
        self._aside: dict[str, float] = {}
        self._shifts: deque[float] = deque(maxlen=_REMEMBERED_SHIFTS)
        self._wanted: int | None = None  # None: no decision is under way
        self._shed = self._short = self._urgent = False
        self._grow = self._recover = -1
        self._steady_since: float | None = None  # growth must have been possible since then
        self._settled_at = float("-inf")
        self._newest: float | None = None
        self._last: Assessment | None = None

    @property
    def horizon(self) -> float:
        """Seconds to look ahead: as long as this machine's slowest recent shift, and never less than the setting."""
        return max([self.settings.horizon, *self._shifts]) + self.settings.confirm

    def residency(self, residency: Residency) -> Any:
        before, self._residency = self._residency, residency
        now = residency.time if self._newest is None else self._newest  # the samples' clock, whatever the sender's
        if residency.seconds > 0:
            self._shifts.append(residency.seconds)
        if residency.failed is not None:
            self._aside[residency.failed] = now + self.settings.retry
        if residency.state != "shifting":
            self._wanted = None
            if before.state == "shifting" or before.rung != residency.rung:
                self._settled_at = now + self.settings.settle
                self._steady_since = self._newest  # None before the first sample: it is steady from there on
        if residency.state == "ready":
            self._shed = False
        return NOTHING

    def assess(self, outlook: Outlook) -> Assessment:
        gap = self._newest is not None and outlook.time - self._newest > self.settings.gap
        if self._steady_since is None or gap:
            self._steady_since = outlook.time
        self._newest = outlook.time
        self._last = assess(
            outlook, self._residency, self.ladder, self.settings, horizon=self.horizon, aside=self._aside
        )
        return self._last

    def share(self, a: Assessment) -> float:
        """What hysteresis watches. While a shift is under way or settling there is no planned shortage to see."""
        return a.share if self._residency.state == "ready" and a.time >= self._settled_at else 0.0

    def take(self, kind: str, item: Any) -> Decision | None:
        if kind == "short":
            self._short = item.value
        elif kind == "grow":
            self._grow = item.value
        elif kind == "recover":
            self._recover = item.value
        elif kind == "asked":
            return self._step_down(item)
        elif kind == "now":
            return self._decide(item)
        return None

    def _decide(self, a: Assessment) -> Decision | None:
        held = a.rank if self._wanted is None else self._wanted
        pending = self._wanted is not None and self._wanted < a.rank and not self._urgent
        if a.critical and a.known and (a.shrink_to < held or pending):
            return self._decision(a, min(a.shrink_to, held), "immediate", "critical")
        if self._residency.state == "shifting" or self._wanted is not None:
            return None
        if not a.known:
            return None
        if self._residency.rung is None:
            return self._from_nothing(a)
        if a.time < self._settled_at:
            return None
        if self._short and a.shrink_to < a.rank:
            return self._decision(a, a.shrink_to, "planned", "forecast")
        assert self._steady_since is not None
        lasted = a.time - self._steady_since
        allowed = min(self._grow, a.grow_to)
        if a.rank < allowed <= a.shrink_to and lasted >= self.settings.stabilisation:
            return self._decision(a, allowed, "planned", "room", lasted=lasted)
        return None

    def _from_nothing(self, a: Assessment) -> Decision | None:
        first = not self._shed
        allowed = a.grow_to if first else min(self._recover, a.grow_to)
        if allowed >= 0:
            return self._decision(a, allowed, "planned", "recovered")
        if first and a.shrink_to >= 0:
            return self._decision(a, a.shrink_to, "planned", "fits")
        return None if self._shed else self._decision(a, -1, "immediate", "nothing fits")

    def _step_down(self, asked: Asked) -> Decision | None:
        if self._last is None:
            return None
        a = self.assess(self._last.outlook)
        held = a.rank if self._wanted is None else self._wanted
        if held <= 0:
            return None
        below = [r for r in self._ranks() if r < held]
        target = min(max(below), a.shrink_to) if below and a.shrink_to >= 0 else (max(below) if below else 0)
        urgency = "immediate" if asked.immediate else "planned"
        self._steady_since = max(asked.time, a.time)
        return self._decision(a, target, urgency, "asked", detail=asked.reason)

    def _ranks(self) -> list[int]:
        now = self._newest or 0.0
        top = len(self.ladder) - 1
        return [top - i for i, rung in enumerate(self.ladder) if self._aside.get(rung.name, now) <= now]

    def _rung(self, rank: int) -> Rung | None:
        return self.ladder[len(self.ladder) - 1 - rank] if rank >= 0 else None

    def _decision(
        self, a: Assessment, target: int, urgency: str, rule: str, *, lasted: float = 0.0, detail: str = ""
    ) -> Decision:
        source, chosen = a.residency.rung, self._rung(target)
        self._wanted, self._shed, self._urgent = target, target < 0, urgency == "immediate"
        rank = a.rank
        kind = "shed" if chosen is None else "upgrade" if target > rank else "downgrade"
        about = chosen if kind == "upgrade" else self._rung(rank) or self.ladder[-1]
        if rule == "critical" and chosen is None:
            rule = "nothing fits"
        if chosen is None:
            about = self.ladder[-1]
            self._wanted = None if a.rank < 0 else -1
        s = self.settings
        ceiling = {"critical": s.critical, "nothing fits": s.critical, "room": s.low, "recovered": s.low}.get(
            rule, s.high
        )
        seen = room(a.outlook, about or self.ladder[-1], ceiling=ceiling, horizon=self.horizon)
        return Decision(
            kind, source, chosen.name if chosen else None, urgency, a.time, _reason(rule, seen, lasted, detail)
        )


def _reason(rule: str, seen: Room | None, lasted: float, detail: str) -> Reason:
    if seen is None:
        return Reason(rule, lasted=lasted, detail=detail or "a pool could not be read")
    left = seen.ceiling * seen.total - seen.external - seen.need
    seconds = 0.0 if left <= 0 else left / seen.slope if seen.slope > 0 else None
    return Reason(
        rule=rule, pool=seen.pool, total=seen.total, used=seen.used, external=seen.external, bound=seen.bound,
        need=seen.need, ceiling=seen.ceiling, horizon=seen.horizon, slope=seen.slope, seconds_left=seconds,
        lasted=lasted, detail=detail,
    )  # fmt: skip
