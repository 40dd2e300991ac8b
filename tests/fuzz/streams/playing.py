"""Plays a world in a closed loop: each decision is carried out, or fails, after a while of the world's own time."""

from random import Random
from typing import Any, NamedTuple

from gearshift.pipeline import Asked, Decision, Performed, Pool, Residency, Sample, decision_stream
from reactivex import Subject

from .checking import Broken, Checker
from .worlds import World, world


class Played(NamedTuple):
    samples: int
    decisions: int
    faults: int


class Break(NamedTuple):
    """What broke in a world, and after how many happenings."""

    number: int
    what: str
    after: int


class _Loop:
    def __init__(self, at: World, luck: Random) -> None:
        self._world, self._luck = at, luck
        self.samples: Subject[Sample] = Subject()
        self._residencies: Subject[Residency] = Subject()
        self._asked: Subject[Any] = Subject()
        self._checker = Checker(at.ladder, at.settings)
        self._needs: dict[str | None, dict[str, int]] = {rung.name: rung.need for rung in at.ladder}
        self._resident: str | None = None
        self._due: tuple[float, Decision] | None = None
        self._ready = True
        self.decided = 0
        stream = decision_stream(self.samples, self._residencies, at.ladder, at.settings, asked=self._asked)
        stream.subscribe(self._obey, self._fail)

    @staticmethod
    def _fail(error: Exception) -> None:
        raise error

    def feed(self, happening: Any) -> None:
        if isinstance(happening, Sample):
            self._arrive(happening.time)
            sample = self._with_ours(happening)
            self._checker.sample(sample)
            self.samples.on_next(sample)
        elif isinstance(happening, Asked | Performed):
            self._asked.on_next(happening)
        elif self._resident is not None and self._due is None:
            lost, self._resident = self._resident, None
            self._tell(Residency(0.0, "empty", None, failed=lost))

    def _with_ours(self, sample: Sample) -> Sample:
        held = self._needs.get(self._resident, {})
        if not held:
            return sample
        pools = {
            name: pool and Pool(pool.total, pool.used + self._held(name), pool.own or self._held(name))
            for name, pool in sample.pools.items()
        }
        return Sample(sample.time, pools, pressure=sample.pressure, alarm=sample.alarm, missing=sample.missing)

    def _held(self, pool: str) -> int:
        return int(self._needs.get(self._resident, {}).get(pool, 0) * self._world.size)

    def _obey(self, decision: Decision) -> None:
        self.decided += 1
        self._checker.decision(decision)
        self._due = decision.time + self._world.load_seconds, decision
        if self._ready:
            self._ready = False
            self._tell(Residency(decision.time, "shifting", self._resident))

    def _arrive(self, time: float) -> None:
        if self._due is None or not time >= self._due[0]:
            return
        target, self._due, self._ready = self._due[1].target, None, True
        failed = None
        if target is not None and self._luck.random() < self._world.breaks:
            failed, target = target, self._resident if self._luck.random() < 0.5 else None
        need: dict[str, int] = {}
        if target is not None and failed is None and self._luck.random() < 0.2:
            need = {pool: int(bytes_ * self._world.size) for pool, bytes_ in self._needs[target].items()}
        self._resident = target
        state = "ready" if target else "empty"
        self._tell(Residency(time, state, target, failed, self._world.load_seconds, need))

    def _tell(self, residency: Residency) -> None:
        self._checker.residency(residency)
        self._residencies.on_next(residency)


def play(seed: int, number: int, *, most: int | None = None) -> Played | Break:
    """World `number`, or its first `most` happenings."""
    at = world(seed, number)
    happenings = at.happenings[:most]
    fed = 0
    try:
        loop = _Loop(at, Random(number))
        for happening in happenings:
            fed += 1
            loop.feed(happening)
    except Broken as broken:
        return Break(number, str(broken), fed)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        return Break(number, repr(error), fed)
    return Played(len(happenings), loop.decided, at.faults)
