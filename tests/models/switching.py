"""A switcher over a scripted host and memory: loads block, fail and are lost as told, and all is written down."""

import threading
from collections.abc import Callable, Collection, Mapping
from types import TracebackType
from typing import Any, NamedTuple

from gearshift.models import Ladder
from gearshift.models.failures import LoadError
from gearshift.models.hosts import Freed
from gearshift.models.ladders.ladder import ModelSpec
from gearshift.models.switching.switcher import Outcome, Switcher
from gearshift.models.testing import FakeModel
from gearshift.pipeline import Decision, Pool, Reason, Residency, Settings
from gearshift.pipeline.probes.ram import Own

TOTAL = 1000
SIZES = {"large": 400, "medium": 200, "small": 50}
RANKS: dict[str | None, int] = {"large": 3, "medium": 2, "small": 1, None: 0}


def to(target: str | None, source: str | None = None, *, immediate: bool = False) -> Decision:
    up = RANKS.get(target, 0) > RANKS[source]
    kind = "upgrade" if up else "shed" if target is None else "downgrade"
    return Decision(kind, source, target, "immediate" if immediate else "planned", 0.0, Reason("forecast"))


class Need(NamedTuple):
    need: dict[str, int]
    peak: dict[str, int]


class ScriptedNeeds:
    """What was learned and what ran out is written down."""

    def __init__(self, sizes: Mapping[str, int] = SIZES, peaks: Mapping[str, int] | None = None) -> None:
        self.sizes, self.peaks = dict(sizes), dict(peaks or sizes)
        self.learned: list[tuple[str, dict[str, int]]] = []
        self.out: list[str] = []

    def of(self, spec: ModelSpec) -> Need:
        return Need({"ram": self.sizes[spec.name]}, {"ram": self.peaks[spec.name]})

    def learn(self, spec: ModelSpec, held: Mapping[str, int]) -> Need:
        self.learned.append((spec.name, dict(held)))
        return Need({"ram": held["ram"] + 1}, dict(held))

    def ran_out(self, spec: ModelSpec) -> Need:
        self.out.append(spec.name)
        return Need({"ram": int(1.2 * self.sizes[spec.name])}, {})


class ScriptedHost:
    """gates: loads that wait until theirs is set, or until they are cancelled. errors: what loads raise, once each.

    deaf: `cancel` does nothing, as in a process of the app's own. late: memory stays in use after an unload until
    `give_back`. external: of others. peak: the most in use so far.
    """

    def __init__(self, external: int = 0) -> None:
        self.external, self.gates, self.errors = external, dict[str, threading.Event](), dict[str, Exception]()
        self.deaf = self.late = self.unreadable = False
        self.log: list[tuple[str, str]] = []
        self.models: dict[str, FakeModel] = {}
        self.peak = self._ghosts = self.loading_at_once = 0
        self.reading = threading.Event()
        self.on_read: Callable[[], None] = lambda: None
        self._changed = threading.Condition()
        self._tell: Callable[[str, str], None] | None = None
        self._cancelled = False
        self._loading: str | None = None

    @property
    def used(self) -> int:
        return self.external + self._ghosts + self.owned

    @property
    def owned(self) -> int:
        return sum(SIZES[name] for name in {*self.models, *([self._loading] if self._loading else [])})

    def pools(self, names: Collection[str]) -> dict[str, Pool | None]:
        self.reading.set()
        self.on_read()
        with self._changed:
            pool = None if self.unreadable else Pool(TOTAL, self.used, self.owned)
            return {name: pool for name in names if name == "ram"}

    def load(self, spec: ModelSpec) -> FakeModel:
        with self._changed:
            assert self._loading is None and spec.name not in self.models, "loads are one at a time"
            self._loading, self._cancelled = spec.name, False
            self.log.append(("load", spec.name))
            self.peak = max(self.peak, self.used)
            self._changed.notify_all()
            try:
                gate = self.gates.get(spec.name)
                self._changed.wait_for(lambda: gate is None or gate.is_set() or self._cancelled, 20)
                if self._cancelled:
                    self.log.append(("cancelled", spec.name))
                    raise LoadError("cancelled")
                if spec.name in self.errors:
                    raise self.errors.pop(spec.name)
                self.models[spec.name] = FakeModel(spec, None)
                return self.models[spec.name]
            finally:
                self._loading = None

    def unload(self, name: str, model: Any) -> Freed:
        with self._changed:
            self.log.append(("unload", name))
            assert self.models.pop(name, model) is model
            model.close()
            if self.late:
                self._ghosts += SIZES[name]
            return Freed(SIZES[name], 0 if self.late else SIZES[name])

    def open(self, name: str) -> None:
        with self._changed:
            self.gates[name].set()
            self._changed.notify_all()

    def loads(self, name: str) -> None:
        """Wait until it is being loaded."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._loading == name, 20), self.log

    def give_back(self) -> None:
        with self._changed:
            self._ghosts = 0

    def lose(self, name: str, reason: str = "killed") -> None:
        with self._changed:
            self.models.pop(name, None)
        assert self._tell is not None
        self._tell(name, reason)

    def held(self, name: str) -> dict[str, int]:
        return {"ram": SIZES[name]}

    def own(self) -> Own:
        return Own(self.owned)

    def on_lost(self, tell: Callable[[str, str], None]) -> None:
        self._tell = tell

    def cancel(self) -> None:
        with self._changed:
            self._cancelled = self._cancelled or not self.deaf
            self._changed.notify_all()

    def close(self) -> None:
        assert not self.models


class Rig:
    """A switcher, and all that it tells. `with Rig(ladder) as rig` closes it in the end, and checks what it left."""

    def __init__(self, ladder: Ladder, host: ScriptedHost | None = None, **more: Any) -> None:
        self.host = host or ScriptedHost()
        self.needs = more.pop("needs", None) or ScriptedNeeds()
        self.outcomes: list[Outcome] = []
        self.residencies: list[Residency] = []
        self.told: list[str] = []
        self.changed = threading.Condition()
        settings = more.pop("settings", Settings())
        self.switcher = Switcher(ladder, self.host, self.needs, self.host.pools, settings, **more)
        self.switcher.outcomes.subscribe(self._outcome)
        self.switcher.residencies.subscribe(self._residency)

    def _outcome(self, outcome: Outcome) -> None:
        with self.changed:
            self.outcomes.append(outcome)
            self.told.append(outcome.kind)
            self.changed.notify_all()

    def _residency(self, residency: Residency) -> None:
        failed = f", {residency.failed} failed" if residency.failed else ""
        with self.changed:
            self.residencies.append(residency)
            self.told.append(f"{residency.state} {residency.rung}{failed}")
            self.changed.notify_all()

    def until(self, holds: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(holds, 20), (self.told, self.host.log)

    def submit(self, *decisions: Decision) -> None:
        for decision in decisions:
            self.switcher.submit(decision)

    def carry_out(self, *decisions: Decision) -> None:
        """Each to its end, and all that follows from it."""
        for decision in decisions:
            count = len(self.outcomes)
            self.switcher.submit(decision)
            self.until(lambda count=count: len(self.outcomes) > count)
            self.rest()

    def rest(self) -> None:
        """Wait until nothing is under way."""
        done = self.switcher._leases.changed
        with done:
            assert done.wait_for(lambda: self.switcher.idle, 20), (self.told, self.host.log)

    def fresh(self) -> None:
        """Forget what was told so far."""
        self.outcomes.clear(), self.residencies.clear(), self.told.clear(), self.host.log.clear()
        self.host.peak = self.host.used

    def __enter__(self) -> "Rig":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: Any, trace: TracebackType | None) -> None:
        for gate in self.host.gates:
            self.host.open(gate)
        self.switcher.close()
        if kind is None:
            assert not self.host.models and self.switcher.rung is None
            assert not [t for t in threading.enumerate() if t is self.switcher._thread or "load-watch" in t.name]
