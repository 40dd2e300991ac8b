"""A backend without models, that closes the loop of samples, decisions and residencies in event time."""

import math
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace
from reactivex import Observable, Subject
from reactivex.subject import BehaviorSubject

from ...operators.typing import not_negative
from ..decisions import decision_stream
from ..rungs import Residency, Rung, checked_ladder
from ..samples import Pool, Sample
from ..settings import Settings
from ..words import Asked, Decision, Performed


class FakeLoader:
    """Carries out decisions as a backend with room for one model would, in the time of the samples, and loads nothing.

    When a decision comes, what was loaded gives its memory back, and what comes holds all of its need until it goes.
    It answers `load_seconds` later, or fails then. A newer decision takes the place of one that is not done yet; for
    the rung that is being loaded already it changes nothing. Residencies tell all that. (`simulate` has a finer
    machine: it loads beside what is there where both fit, waits for replies, and kills what memory has no room for.)

    Args:
        ladder: rungs, best first.
        load_seconds: seconds that a load takes, of any rung or by name.
        broken: names of rungs whose loads fail. The set `broken` may be changed at any time.
        loaded: the rung that it begins with; nothing by default.

    `ladder` is the ladder, `decisions` holds all that it was told to do, `rung` names what answers now, and `own` tells
    what is held, bytes by pool. `samples` (hot) and `residencies` (which tells its newest to who subscribes) are
    Observables: for `ProactiveScaler(loader.ladder, settings, loader.samples, residencies=loader.residencies)`, or for
    `decision_stream`, with `obey` subscribed to the decisions.

    Not for several threads. Raises ValueError, TypeError for a ladder, a name or seconds that can't be used.

    >>> from gearshift.pipeline.testing import marble_of, rungs_of, samples_of
    >>> loader = FakeLoader(rungs_of(500, 300, 100), load_seconds=1.5, broken=["medium"])
    >>> made = loader.play(samples_of([100] * 10 + [450] * 10))
    >>> [decision.target for decision in made], loader.rung
    (['large', 'medium', 'small'], 'small')
    """

    def __init__(
        self,
        ladder: Sequence[Rung],
        *,
        load_seconds: float | Mapping[str, float] = 2.0,
        broken: Iterable[str] = (),
        loaded: str | None = None,
    ) -> None:
        self.ladder = checked_ladder(ladder)
        self._needs: dict[str | None, dict[str, int]] = {rung.name: rung.need for rung in self.ladder}
        self._seconds = self._by_rung(load_seconds)
        self.broken = {self._known("broken", name) for name in ([broken] if isinstance(broken, str) else broken)}
        self.rung: str | None = None if loaded is None else self._known("loaded", loaded)
        self.decisions: list[Decision] = []
        self._now = -math.inf
        self._under_way: Decision | None = None
        self._began = self._due = math.inf
        self._samples: Subject[Sample] = Subject()
        self._residencies = BehaviorSubject(Residency(0.0, "ready" if loaded else "empty", loaded))
        self.samples: Observable[Sample] = self._samples
        self.residencies: Observable[Residency] = self._residencies

    @property
    def own(self) -> dict[str, int]:
        """Bytes by pool that are held now: the need of what is loaded or being loaded."""
        held = self.rung if self._under_way is None else self._under_way.target
        return dict(self._needs.get(held, {}))

    def push(self, sample: Sample) -> None:
        """Let time pass up to the sample, and hand it on with `own` in the place of what it says of that itself."""
        if math.isfinite(sample.time):
            self._pass_to(sample.time)
        own = self.own
        pools = {name: _holding(pool, own.get(name, 0)) for name, pool in sample.pools.items()}
        self._samples.on_next(replace(sample, pools=pools))

    def obey(self, decision: Decision) -> None:
        """Begin to carry it out. Raises ValueError for a rung that is not on the ladder."""
        if decision.target is not None:
            self._known("a decision's target", decision.target)
        self.decisions.append(decision)
        if decision.target is None or self._under_way is None or self._under_way.target != decision.target:
            self._begin(decision)

    def lose(self) -> None:
        """What is loaded or being loaded is gone, as if it had been killed. Raises ValueError where nothing is."""
        lost = self.rung if self._under_way is None else self._under_way.target
        if lost is None:
            raise ValueError("there is nothing to lose: no rung is loaded or being loaded")
        self._settle(None, self._now if math.isfinite(self._now) else 0.0, failed=lost)

    def play(self, items: Iterable[Sample | Asked | Performed], settings: Settings | None = None) -> list[Decision]:
        """What `decision_stream` decides on samples, each decision carried out; a second call goes on from there.

        Args:
            items: samples, of which only what others hold counts, and among them what the app asks for and tells.
            settings: `Settings()` by default.

        Returns:
            The decisions, in their order.

        Raises:
            TypeError: for an item that is none of these; and whatever `decision_stream` fails with.
        """
        asked: Subject[Asked | Performed] = Subject()
        errors: list[Exception] = []
        before = len(self.decisions)
        stream = decision_stream(self.samples, self.residencies, self.ladder, settings, asked=asked)
        with stream.subscribe(self.obey, errors.append):
            for item in items:
                if isinstance(item, Sample):
                    self.push(item)
                elif isinstance(item, Asked | Performed):
                    asked.on_next(item)
                else:
                    raise TypeError(f"play takes samples, Asked and Performed, got {item!r}")
                if errors:
                    raise errors[0]
        return self.decisions[before:]

    def _pass_to(self, time: float) -> None:
        """Let all end that is due by then. A step back in time is none."""
        while self._under_way is not None and self._due <= time:
            self._now = max(self._now, self._due)
            self._end(self._under_way)
        self._now = max(self._now, time)

    def _begin(self, decision: Decision) -> None:
        self._now = max(self._now, decision.time)
        if self._under_way is None and decision.target == self.rung:
            self._settle(self.rung, self._now)
            return
        left, self.rung = self.rung, None
        self._under_way, self._began = decision, self._now
        self._due = self._now + (self._seconds[decision.target] if decision.target is not None else 0.0)
        self._tell(Residency(self._now, "shifting", left))
        if self._under_way is decision and self._due <= self._now:
            self._end(decision)

    def _end(self, decision: Decision) -> None:
        if decision.target in self.broken:
            self._settle(None, self._due, failed=decision.target)
        else:
            self._settle(decision.target, self._due, seconds=self._due - self._began)

    def _settle(self, rung: str | None, time: float, *, failed: str | None = None, seconds: float = 0.0) -> None:
        self.rung, self._under_way = rung, None
        self._tell(Residency(time, "empty" if rung is None else "ready", rung, failed, seconds))

    def _tell(self, residency: Residency) -> None:
        self._residencies.on_next(residency)

    def _by_rung(self, seconds: float | Mapping[str, float]) -> dict[str, float]:
        if not isinstance(seconds, Mapping):
            return dict.fromkeys((rung.name for rung in self.ladder), not_negative("load_seconds", seconds))
        given = {
            self._known("load_seconds", name): not_negative(f"load_seconds[{name!r}]", s) for name, s in seconds.items()
        }
        if lacking := [rung.name for rung in self.ladder if rung.name not in given]:
            raise ValueError(f"load_seconds lacks {lacking}; give the seconds of each rung, or one number for all")
        return given

    def _known(self, what: str, name: str) -> str:
        if name not in self._needs:
            raise ValueError(f"{what} names {name!r}, which is not on the ladder; its rungs are {list(self._needs)}")
        return name


def _holding(pool: Pool | None, own: int) -> Pool | None:
    return None if pool is None else Pool(pool.total, pool.external + own, own)
