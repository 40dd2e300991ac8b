"""A policy that decides by a script, and samples of one pool."""

from collections.abc import Iterable, Mapping

from gearshift.pipeline import Decision, Pool, Reason, Residency, Rung, Sample, Settings, Simulation, simulate

LARGE, MEDIUM, SMALL = Rung("large", {"ram": 500}, 4.0), Rung("medium", {"ram": 300}, 2.0), Rung("small", {"ram": 100})
LADDER = [LARGE, MEDIUM, SMALL]


def to(target: str | None, source: str | None = None, *, urgency: str = "planned") -> Decision:
    """A decision to be made; the script gives it its time."""
    ranks = {None: 0, "small": 1, "medium": 2, "large": 3}
    kind = "shed" if target is None else "upgrade" if ranks[target] > ranks[source] else "downgrade"
    return Decision(kind, source, target, urgency, 0.0, Reason("asked"))


class Scripted:
    """Decides at the samples whose times are in `script`, and keeps all that it is told."""

    def __init__(self, script: Mapping[float, Decision]) -> None:
        self._script = dict(script)
        self.samples: list[Sample] = []
        self.residencies: list[Residency] = []
        self.requests: list[float] = []

    def sample(self, sample: Sample) -> Decision | None:
        self.samples.append(sample)
        found = self._script.pop(sample.time, None)
        return None if found is None else Decision(found.kind, found.source, found.target, found.urgency, sample.time,
                                                   found.reason)  # fmt: skip

    def residency(self, residency: Residency) -> Decision | None:
        self.residencies.append(residency)
        return None

    def request(self, time: float) -> Decision | None:
        self.requests.append(time)
        return None

    @property
    def own(self) -> list[int | None]:
        pools = [sample.pools["ram"] for sample in self.samples]
        return [None if pool is None else pool.own for pool in pools]

    @property
    def told(self) -> list[tuple[float, str, str | None, str | None]]:
        return [(round(r.time, 6), r.state, r.rung, r.failed) for r in self.residencies]


def ram(external: Iterable[int | None], *, total: int = 1000, step: float = 1.0, start: float = 0.0) -> list[Sample]:
    return [
        Sample(start + i * step, {"ram": None if used is None else Pool(total, used)})
        for i, used in enumerate(external)
    ]


def play(
    external: Iterable[int | None] | list[Sample], script: Mapping[float, Decision], **options: object
) -> tuple[Simulation, Scripted]:
    """Loads take 2 s unless told otherwise; the ceiling is at 800 of 1000 bytes."""
    given = list(external)
    samples = [s for s in given if isinstance(s, Sample)] or ram(e for e in given if not isinstance(e, Sample))
    policy = Scripted(script)
    found = simulate(samples, LADDER, Settings(), policy=policy, **{"load_time": 2.0, **options})  # pyright: ignore
    return found, policy
