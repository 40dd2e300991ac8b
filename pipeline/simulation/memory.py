"""The pools of a simulated machine: what others hold, as recorded, and what is held of ours."""

from collections.abc import Callable, Mapping

from ..rungs import Rung
from ..samples import Pool


def held(rung: Rung, tokens: int) -> dict[str, int]:
    """Bytes by pool that a rung holds with so many tokens in its cache."""
    return {
        pool: max(0, need + rung.per_token.get(pool, 0) * (tokens - rung.context)) for pool, need in rung.need.items()
    }


def together(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """The sum of both, pool by pool."""
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}


class Memory:
    """Bytes by pool. external: of everyone else, as last read. own: of ours.

    limit: bytes of a pool, by its name and total, up to which something fits. ceiling: a fraction, for what is
    measured. above: use of a pool that holds some of ours is over the ceiling. short: such pools that are over their
    whole.
    """

    def __init__(self, limit: Callable[[str, int], float], ceiling: float) -> None:
        self._limit, self._ceiling = limit, ceiling
        self._readable: frozenset[str] = frozenset()
        self.total: dict[str, int] = {}
        self.external: dict[str, int] = {}
        self.own: dict[str, int] = {}
        self.above = False
        self.short: tuple[str, ...] = ()

    def read(self, pools: Mapping[str, Pool | None]) -> None:
        """Take what others hold from a recorded sample; a pool that it doesn't tell of stays as it was."""
        for name, pool in pools.items():
            if pool is not None:
                self.total[name], self.external[name] = pool.total, pool.external
        self._readable = frozenset(name for name, pool in pools.items() if pool is not None)

    def hold(self, own: dict[str, int]) -> None:
        """Set what is held of ours, and judge all pools anew."""
        self.own, self.above, short = own, False, ()
        for name, bytes_ in own.items():
            total = self.total.get(name)
            if total is None or bytes_ <= 0:
                continue
            used = self.external[name] + bytes_
            if used > self._ceiling * total:
                self.above = True
            if used > total:
                short = (*short, name)
        self.short = short

    def pools(self) -> dict[str, Pool]:
        """Each as it was last read, with what is held of ours."""
        own = self.own
        return {
            name: Pool(self.total[name], external + own.get(name, 0), own.get(name, 0))
            for name, external in self.external.items()
        }

    def fits_beside(self, rung: Rung) -> bool:
        """Would all of `rung` fit under the ceiling, next to everything in use? Not where a pool can't be read now."""
        return all(
            name in self._readable
            and self.external[name] + self.own.get(name, 0) + need <= self._limit(name, self.total[name])
            for name, need in rung.need.items()
        )

    def crowds_out(self, rung: Rung) -> bool:
        """Do others now hold so much that `rung` would be over the ceiling?"""
        return any(
            self.external[name] + need > self._limit(name, self.total[name])
            for name, need in rung.need.items()
            if name in self.total
        )

    def seen(self, pools: Mapping[str, Pool | None]) -> dict[str, Pool | None]:
        """The pools of a recorded sample as they would have been read on this machine."""
        own = self.own
        return {
            name: None if pool is None else Pool(pool.total, pool.external + own.get(name, 0), own.get(name, 0))
            for name, pool in pools.items()
        }
