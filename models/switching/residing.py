"""What the decisions are told of what is loaded: the switcher's word, and what was found out otherwise."""

import threading
from collections.abc import Callable, Mapping, Sequence

import reactivex
from msgspec.structs import replace
from reactivex import Observable, Subject, abc

from ...pipeline.rungs import Residency, Rung
from ..ladders.ladder import Ladder, ModelSpec
from ..needs.remembered import Needs


class Parachute:
    """The smallest rung, kept loaded beside each other one: these need so much more. Without it, nothing is changed.

    needs: what is known of it.
    """

    def __init__(self, ladder: Ladder, needs: Needs, *, wanted: bool) -> None:
        self._spec: ModelSpec | None = ladder[-1] if wanted and len(ladder) > 1 else None
        self._needs = needs

    @property
    def name(self) -> str | None:
        return self._spec.name if self._spec is not None else None

    def beside(self, name: str | None, need: Mapping[str, int]) -> dict[str, int]:
        """The need of a rung, by pool, with that of the parachute where it isn't that itself."""
        added = dict(need)
        if self._spec is not None and name != self._spec.name:
            for pool, size in self._needs.of(self._spec).need.items():
                added[pool] = added.get(pool, 0) + size
        return added

    def rungs(self, ladder: Ladder) -> list[Rung]:
        return [replace(rung, need=self.beside(rung.name, rung.need)) for rung in ladder.rungs(self._needs)]


class Residing:
    """`stream` tells whoever subscribes what is loaded already, then each change. Thread-safe.

    Args:
        told: what the switcher tells.
        crashed: the rungs with which this run may not begin, as an earlier one ended uncleanly: they count as failed.
        clock: seconds, on the clock that `told` goes by.
    """

    def __init__(
        self, told: Observable[Residency], parachute: Parachute, *, crashed: Sequence[str], clock: Callable[[], float]
    ) -> None:
        self._parachute, self._clock = parachute, clock
        self._out: Subject[Residency] = Subject()
        self._lock = threading.Lock()
        self._first = [Residency(clock(), failed=rung) for rung in crashed]
        self._latest: Residency | None = None
        self._wire = told.subscribe(self._take)
        self.stream: Observable[Residency] = reactivex.create(self._subscribe)

    def ran_out(self, rung: str, need: Mapping[str, int]) -> None:
        """Memory ran out under a loaded rung, so it needs more than was thought. Of another, its next load tells."""
        with self._lock:
            latest = self._latest
        if latest is not None and latest.state == "ready" and latest.rung == rung:
            self._out.on_next(replace(latest, time=self._clock(), need=self._parachute.beside(rung, need)))

    def close(self) -> None:
        self._wire.dispose()

    def _take(self, residency: Residency) -> None:
        if residency.need:
            about = residency.failed or residency.rung
            residency = replace(residency, need=self._parachute.beside(about, residency.need))
        with self._lock:
            self._first, self._latest = [], replace(residency, failed=None, seconds=0.0, need={})
        self._out.on_next(residency)

    def _subscribe(
        self, observer: abc.ObserverBase[Residency], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        wire = self._out.subscribe(observer, scheduler=scheduler)
        with self._lock:
            now, self._first = self._first or [self._latest], []
        for residency in now:
            if residency is not None:
                observer.on_next(residency)
        return wire
