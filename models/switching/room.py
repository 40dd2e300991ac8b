"""Whether a load fits now, by a reading taken for the question."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple, Protocol

from ...pipeline.samples import Pool
from ...pipeline.settings import Settings
from ...pipeline.words import gib
from ..ladders.ladder import ModelSpec
from .leases import Loaded

Pools = Callable[[Collection[str]], Mapping[str, Pool | None]]
"""A fresh reading of pools by name; None, or left out, where one can't be read."""

_BACK = 0.75  # of what was held, as in Ollama: a driver keeps some of it
_PATIENCE = 5.0  # seconds for it to come back
_POLL = 0.05


class Need(Protocol):
    """Bytes by pool: all in, with the cache of a full context, and the most that a load takes."""

    @property
    def need(self) -> dict[str, int]: ...

    @property
    def peak(self) -> dict[str, int]: ...


class Needs(Protocol):
    """What each rung takes, estimated or measured."""

    def of(self, spec: ModelSpec) -> Need: ...

    def learn(self, spec: ModelSpec, held: Mapping[str, int]) -> Need: ...

    def ran_out(self, spec: ModelSpec) -> Need: ...


class Short(NamedTuple):
    """Why a rung may not be loaded. passing: it would fit once loaded, and only its load takes too much."""

    reason: str
    passing: bool


class Room:
    """Judges by `settings.limit`, with the most that a rung takes while it loads or, with a full cache, afterwards."""

    def __init__(self, pools: Pools, needs: Needs, settings: Settings) -> None:
        self._pools, self._needs, self._settings = pools, needs, settings

    def short(
        self, spec: ModelSpec, *, share: float | None = None, staying: Iterable[Loaded] | None = None
    ) -> Short | None:
        """None when `spec` fits.

        share: of each pool, that may be in use; `high` by default. staying: what of ours stays loaded beside it, all
        else being gone by then; by default, all that there is now stays.
        """
        need = self._needs.of(spec)
        most = {name: max(need.peak.get(name, 0), need.need.get(name, 0)) for name in {**need.need, **need.peak}}
        seen = self._pools(most)
        for name, size in most.items():
            pool = seen.get(name)
            if pool is None:
                return Short(f"{spec.name} may not be loaded: {name} can't be read, so nobody knows its room", False)
            gone = 0 if staying is None else max(0, pool.own - sum(each.held.get(name, 0) for each in staying))
            beside, limit = max(0, pool.used - gone), self._settings.limit(name, pool.total, share)
            if beside + size > limit:
                return Short(
                    f"{spec.name} takes up to {gib(size)} of {name}, {gib(beside)} are in use beside it, and the "
                    f"limit is {gib(limit)} of {gib(pool.total)}",
                    beside + need.need.get(name, 0) <= limit,
                )
        return None

    def critical(self, loaded: Loaded) -> bool:
        """Is a pool that it holds so full that it must go?"""
        seen = self._pools(loaded.held)
        return any(
            (pool := seen.get(name)) is not None and pool.used >= self._settings.critical * pool.total
            for name in loaded.held
        )

    def leaving(self, loaded: Collection[Loaded]) -> "Leaving":
        """To be made before these are unloaded."""
        held: dict[str, int] = {}
        for each in loaded:
            for name, size in each.held.items():
                held[name] = held.get(name, 0) + size
        seen = self._pools(held)
        return Leaving({n: (p.used, min(size, p.own)) for n, size in held.items() if (p := seen.get(n)) is not None})

    def back(
        self, leaving: "Leaving", spec: ModelSpec, share: float | None, wait: Callable[[float], bool], clock: "Clock"
    ) -> Short | None:
        """Wait until the memory of what was unloaded is really back, or `spec` fits: 5 s at most. None when it fits.

        wait: for so many seconds; True when there is no point in it any more.
        """
        began, over = clock(), False
        while True:
            over = over or clock() - began >= _PATIENCE or leaving.back(self._pools(leaving.before))
            short = self.short(spec, share=share)  # read after that, so that what has come back counts
            if short is None or over:
                return short
            over = wait(_POLL)


Clock = Callable[[], float]


class Leaving(NamedTuple):
    """What was in use before an unload, and what should come back, by pool in bytes."""

    before: dict[str, tuple[int, int]]

    def back(self, seen: Mapping[str, Pool | None]) -> bool:
        """Three quarters of it are."""
        return all(
            (pool := seen.get(name)) is None or used - pool.used >= _BACK * expected
            for name, (used, expected) in self.before.items()
        )
