"""What all rivals share: what they see, and how they say what they want."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from ...rungs import Residency, Rung
from ...samples import Pool, Sample
from ...settings import Settings
from ...words import Decision, Reason


class Unchanged:
    """A rival's answer when it wants nothing else than what is loaded."""


UNCHANGED = Unchanged()

Wanted = Rung | None | Unchanged


class Rival:
    """A `Policy` that looks at pools as they are now. Silent while a shift is under way or a pool can't be read.

    A subclass answers `on_sample` and `on_request` with the rung that it wants, None for none, or `UNCHANGED`.
    settings: taken so that all policies are made alike; a rival follows its own published defaults instead.
    """

    name: ClassVar[str] = ""

    def __init__(self, ladder: Sequence[Rung], settings: Settings) -> None:
        if not ladder:
            raise ValueError("ladder must hold at least one rung, got an empty one")
        self.ladder, self.settings = list(ladder), settings
        self.loaded: Rung | None = None
        self.pools: dict[str, Pool] | None = None
        self._shifting = False

    def on_sample(self, time: float) -> Wanted:  # noqa: ARG002
        """A reading of all pools is in `self.pools`; nothing is shifting."""
        return UNCHANGED

    def on_request(self, time: float) -> Wanted:  # noqa: ARG002
        """Somebody waits for a reply; nothing is shifting."""
        return UNCHANGED

    def sample(self, sample: Sample) -> Decision | None:
        read = {name: sample.pools.get(name) for rung in self.ladder for name in rung.need}
        pools = {name: pool for name, pool in read.items() if pool is not None}
        self.pools = pools if len(pools) == len(read) else None
        if self.pools is None or self._shifting:
            return None
        return self._decision(self.on_sample(sample.time), sample.time)

    def residency(self, residency: Residency) -> Decision | None:
        self._shifting = residency.state == "shifting"
        if not self._shifting:
            held = residency.rung if residency.state == "ready" else None
            self.loaded = next((rung for rung in self.ladder if rung.name == held), None)
        return None

    def request(self, time: float) -> Decision | None:
        if self._shifting:
            return None
        return self._decision(self.on_request(time), time)

    def use(self, rung: Rung, external: Mapping[str, float] | None = None) -> float:
        """Use of the fullest pool of `rung` with it instead of what is loaded, a fraction of its total.

        external: bytes that others hold, by pool; None for what they hold now.
        """
        assert self.pools is not None
        seen = external if external is not None else {name: pool.external for name, pool in self.pools.items()}
        return max((seen[name] + need) / self.pools[name].total for name, need in rung.need.items())

    def used(self) -> float:
        """Use of the fullest pool now, a fraction of its total."""
        assert self.pools is not None
        return max(pool.used / pool.total for pool in self.pools.values())

    def best(self, ceiling: float, external: Mapping[str, float] | None = None) -> Rung | None:
        """The best rung that keeps use at or under `ceiling`, a fraction; None when none does."""
        return next((rung for rung in self.ladder if self.use(rung, external) <= ceiling), None)

    def _decision(self, wanted: Wanted, time: float) -> Decision | None:
        if isinstance(wanted, Unchanged) or wanted is self.loaded:
            return None
        kind = "shed" if wanted is None else "downgrade"
        if wanted is not None and (self.loaded is None or self.better(wanted, self.loaded)):
            kind = "upgrade"
        source = self.loaded.name if self.loaded is not None else None
        target = wanted.name if wanted is not None else None
        return Decision(kind, source, target, "planned", time, Reason(self.name))

    def better(self, one: Rung, other: Rung) -> bool:
        """Whether `one` stands higher on the ladder."""
        return self.ladder.index(one) < self.ladder.index(other)
