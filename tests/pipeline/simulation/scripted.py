"""A policy that decides by a script, and samples of one pool."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from gearshift.pipeline import Decision, Pool, Reason, Residency, Rung, Sample, Settings, Simulation, simulate

LADDER = [Rung("large", {"ram": 500}, 4.0), Rung("medium", {"ram": 300}, 2.0), Rung("small", {"ram": 100}, 1.0)]
_RANKS = {None: 0, "small": 1, "medium": 2, "large": 3}


def to(target: str | None, source: str | None = None, *, urgency: str = "planned", time: float = 0.0) -> Decision:
    """A decision to be made; a script gives it its time."""
    kind = "shed" if target is None else "upgrade" if _RANKS[target] > _RANKS[source] else "downgrade"
    return Decision(kind, source, target, urgency, time, Reason("asked"))


def now(target: str | None, source: str | None = None) -> Decision:
    return to(target, source, urgency="immediate")


class Scripted:
    """Decides at the samples and requests whose times are in `script`, and keeps all that it is told."""

    def __init__(self, script: Mapping[float, Decision]) -> None:
        self._script = dict(script)
        self.samples: list[Sample] = []
        self.residencies: list[Residency] = []
        self.requests: list[float] = []

    def _at(self, time: float) -> Decision | None:
        found = self._script.pop(time, None)
        return None if found is None else msgspec.structs.replace(found, time=time)

    def sample(self, sample: Sample) -> Decision | None:
        self.samples.append(sample)
        return self._at(sample.time)

    def residency(self, residency: Residency) -> Decision | None:
        self.residencies.append(residency)
        return None

    def request(self, time: float) -> Decision | None:
        self.requests.append(time)
        return self._at(time)

    @property
    def own(self) -> list[int | None]:
        """Of ours in each sample, None where the pool could not be read."""
        return [None if (pool := sample.pools["ram"]) is None else pool.own for sample in self.samples]

    @property
    def told(self) -> list[tuple[float, str, str | None]]:
        """Residencies: when, state and rung, and `!` with the one that failed."""
        return [(round(r.time, 6), r.state + (f" !{r.failed}" if r.failed else ""), r.rung) for r in self.residencies]


def ram(external: Iterable[int | None], *, total: int = 1000, step: float = 1.0, start: float = 0.0) -> list[Sample]:
    return [
        Sample(start + i * step, {"ram": None if used is None else Pool(total, used)})
        for i, used in enumerate(external)
    ]


def play(
    samples: list[Sample] | Iterable[int | None],
    script: Mapping[float, Decision],
    *,
    ladder: Sequence[Rung] = LADDER,
    **options: Any,
) -> tuple[Simulation, Scripted]:
    """One sample a second where only external use is given; the ceiling is at 800 of 1000; loads take 2 s."""
    given = list(samples)
    recorded = [item for item in given if isinstance(item, Sample)]
    policy = Scripted(script)
    found = simulate(
        recorded or ram(item for item in given if not isinstance(item, Sample)),
        ladder,
        Settings(),
        policy=policy,
        **{"load_time": 2.0, **options},
    )
    return found, policy
