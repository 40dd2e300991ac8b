"""Which rung fits: a pure function of outlook, ladder and what is resident."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec

from .outlook import Outlook
from .rungs import Residency, Rung, checked_ladder, learned
from .samples import UNLIKELY
from .settings import Settings


class Room(msgspec.Struct, frozen=True):
    """What a pool would hold with one rung: bytes, and against which ceiling (a fraction)."""

    pool: str
    total: int
    used: int
    external: int
    bound: int
    need: int
    ceiling: float
    slope: float
    horizon: float

    @property
    def fits(self) -> bool:
        return self.bound + self.need <= self.ceiling * self.total

    @property
    def share(self) -> float:
        return (self.bound + self.need) / self.total


def room(
    outlook: Outlook, rung: Rung, *, ceiling: float, horizon: float, reserve: Mapping[str, int] | None = None
) -> Room | None:
    """The tightest pool that `rung` needs; None when one of them can't be read.

    A reserve (bytes by pool) lowers the ceiling to what it leaves.
    """
    tightest = None
    for name, need in rung.need.items():
        pool = outlook.pools.get(name)
        if pool is None:
            return None
        total = pool.pool.total
        kept = reserve.get(name, 0) if reserve else 0
        under = max(0.0, min(ceiling, 1 - kept / total))
        bound = int(min(pool.bound(horizon), UNLIKELY))
        here = Room(name, total, pool.pool.used, pool.external, bound, need, under, pool.slope, horizon)
        if tightest is None or here.share - here.ceiling > tightest.share - tightest.ceiling:
            tightest = here
    return tightest


class Assessment(msgspec.Struct, frozen=True, gc=False):
    """Ranks count from the ladder's foot: 0 is the last rung, -1 is none.

    fits: best rung a little under `high` at the shrink horizon (the resident one: under it). shrink_to: the same, else
    the last one where it is under `critical` now. grow_to: best rung under `low` now and under `high` at the grow
    horizon; -1 when a pool is unknown or contradicts itself. strain: of the tightest pool with the resident rung at
    the shrink horizon, 1.0 being at `high`. critical: why to act at once, empty for no reason. known: all pools could
    be read, and with nothing loaded none contradicts itself. rising: use of one of them rises along a line. over: the
    resident rung is above `high` now. room, grow_room: bytes by pool that `fits` and `grow_to` go by.
    """

    time: float
    outlook: Outlook
    residency: Residency
    rank: int
    fits: int
    shrink_to: int
    grow_to: int
    strain: float
    critical: str
    known: bool
    rising: bool
    over: bool
    room: Mapping[str, float]
    grow_room: Mapping[str, float]


_NONE: frozenset[int] = frozenset()
_Limits = tuple[int, float, float, float, float]  # bytes: all, up to high, a little below it, up to low, to critical


class Judge:
    """Judges every rung of a ladder by what the machine will look like with it."""

    def __init__(self, ladder: Sequence[Rung], settings: Settings) -> None:
        self._settings = settings
        self._adaptive = settings.adaptive
        self._limits: dict[str, _Limits] = {}
        self._take(checked_ladder(ladder))

    def _take(self, ladder: tuple[Rung, ...]) -> None:
        self.ladder = ladder
        top = len(ladder) - 1
        self.rank_of: dict[str | None, int] = {rung.name: top - i for i, rung in enumerate(self.ladder)}
        self._held = [*(rung.need for rung in reversed(self.ladder)), {}]  # by rank, and nothing for rank -1
        self._names = [rung.name for rung in reversed(self.ladder)]
        self._best_first = [(top - i, rung.name, tuple(rung.need.items())) for i, rung in enumerate(self.ladder)]
        self._pools = tuple(dict.fromkeys(name for rung in self.ladder for name in rung.need))
        self._orderly = all(_no_more(worse.need, better.need) for better, worse in pairwise(self.ladder))

    def learn(self, residency: Residency) -> None:
        """Judge a rung from now on by what it has turned out to need."""
        if residency.need:
            self._take(tuple(learned(rung, residency) for rung in self.ladder))

    def _limit(self, name: str, total: int) -> "_Limits":
        """The ceilings of a pool in bytes, to be worked out anew when its total changes."""
        s = self._settings
        high, guarded, low = (s.limit(name, total, share) for share in (s.high, s.guarded, s.low))
        found = total, high, guarded, low, s.critical * total
        self._limits[name] = found
        return found

    def held(self, outlook: Outlook, rank: int, resident: str | None = None) -> Mapping[str, int]:
        """Bytes by pool of the rung of this rank; of a resident one that is not on the ladder, what we hold now."""
        if rank >= 0 or resident is None:
            return self._held[rank]
        seen = ((name, outlook.pools.get(name)) for name in self._pools)
        return {name: pool.pool.own for name, pool in seen if pool is not None and pool.pool.own > 0}

    def assess(self, outlook: Outlook, residency: Residency, aside: Mapping[str, float]) -> Assessment:
        """`aside`: rungs not to use, until when."""
        pools, time, shrink, grow = outlook.pools, outlook.time, outlook.shrink, outlook.grow
        rank = self.rank_of.get(residency.rung, -1)
        held = self._held[rank]
        shrink_room: dict[str, float] = {}
        grow_room: dict[str, float] = {}
        known = sound = True
        rising = full = over = False
        strain = 0.0
        for name in self._pools:
            seen = pools.get(name)
            if seen is None:
                shrink_room[name] = grow_room[name] = -1.0
                if name in pools:  # a pool that the machine never had is no failure
                    known = False
                    shrink_room[name] = held.get(name, -1.0)  # what the resident rung holds there, another may hold
                continue
            pool = seen.pool
            limits = self._limits.get(name)
            if limits is None or limits[0] != pool.total:
                limits = self._limit(name, pool.total)
            _, high, guarded, low, edge = limits
            bound = seen.bound(shrink)
            shrink_room[name] = guarded - bound
            if self._adaptive and seen.margins[1] is not None:
                low = guarded
            now, then = low - seen.external, guarded - seen.bound(grow)
            grow_room[name] = now if now < then else then
            if pool.own > pool.used:
                sound = False
            if seen.slope > 0:
                rising = True
            if pool.used >= edge:
                full = True
            if name in held:
                need = held[name]
                if seen.external + need > high:
                    over = True
                share = (bound + need) / high if high > 0 else 2.0
                if share > strain:
                    strain = share
        fits = self._best(shrink_room, aside, time)
        grow_to = self._best(grow_room, aside, time) if known and sound else -1
        if strain < 1.0 and rank > fits:
            fits = rank
        if not sound and residency.rung is None:
            known, fits = False, -1  # with nothing loaded, all that could be decided is growth
        shrink_to = fits if fits >= 0 else self._last_resort(outlook, held, aside)
        critical = ""
        if full or rising:
            critical = self.danger(outlook, self.held(outlook, rank, residency.rung), coming=False)
        return Assessment(
            time, outlook, residency, rank, fits, shrink_to, grow_to, strain, critical, known, rising, over,
            shrink_room, grow_room,
        )  # fmt: skip

    def danger(self, outlook: Outlook, held: Mapping[str, int], *, coming: bool) -> str:
        """Why use is critical with what is `held`, now or before a shift could end; empty where it isn't.

        What is loaded counts with what it holds, and one that is still `coming` with its need.
        """
        critical, edge = "", self._settings.critical
        for name, need in held.items():
            seen = outlook.pools.get(name)
            if seen is None:
                continue
            pool = seen.pool
            if (seen.external + need if coming else pool.used) >= edge * pool.total:
                return "critical"
            if seen.slope > 0 and seen.external + seen.slope * outlook.shift + need >= edge * pool.total:
                critical = "soon critical"
        return critical

    def within(self, a: Assessment, most: int, aside: Mapping[str, float]) -> int:
        """The best rank up to `most` that may be shrunk to; -1 for none.

        A better one that fits says nothing of those below it, where they need more than it of some pool.
        """
        if a.shrink_to <= most:
            return a.shrink_to
        for rank in range(most, -1, -1):
            if self.takes(a, rank, aside) or (rank == a.rank and a.strain < 1.0):
                return rank
        last = self._last_resort(a.outlook, self._held[a.rank], aside)
        return last if last <= most else -1

    def below(self, a: Assessment, held: int, aside: Mapping[str, float]) -> int:
        """The next rank below `held` that fits, or at least needs no more of any pool; -1 for none.

        One that is set aside only where all are.
        """
        lower = range(held - 1, -1, -1)
        for rank in lower:
            if self.takes(a, rank, aside):
                return rank
        if 0 <= a.shrink_to < held:
            return a.shrink_to
        for rank in lower:
            if self._free(rank, a.time, aside) and _no_more(self._held[rank], self._held[held]):
                return rank
        return 0 if held > 0 and _no_more(self._held[0], self._held[held]) else -1

    def out_of(self, a: Assessment, held: int, aside: Mapping[str, float]) -> int:
        """The next rank below `held` that fits, or is at least under `critical` now; -1 for none."""
        free = [rank for rank in range(held - 1, -1, -1) if self._free(rank, a.time, aside)]
        fitting = (rank for rank in free if self._fits_in(a.room, rank))
        return next(fitting, next((rank for rank in free if self.bears(a, rank)), -1))

    def bears(self, a: Assessment, rank: int) -> bool:
        """Is this rank under `critical` now, instead of what is loaded?"""
        return self._is_borne(a.outlook, rank, self._held[a.rank])

    def takes(self, a: Assessment, rank: int, aside: Mapping[str, float]) -> bool:
        """Does this rank fit, and isn't set aside?"""
        return self._fits_in(a.room, rank) and self._free(rank, a.time, aside)

    def lacking(self, room: Mapping[str, float], best: int) -> frozenset[int]:
        """The ranks below the `best` that fits which don't."""
        return _NONE if self._orderly else frozenset(r for r in range(best) if not self._fits_in(room, r))

    def _fits_in(self, room: Mapping[str, float], rank: int) -> bool:
        return all(need <= room[name] for name, need in self._held[rank].items())

    def _free(self, rank: int, time: float, aside: Mapping[str, float]) -> bool:
        return aside.get(self._names[rank], time) <= time

    def _best(self, left: Mapping[str, float], aside: Mapping[str, float], time: float) -> int:
        for rank, own_name, needs in self._best_first:
            for name, need in needs:
                if need > left[name]:
                    break
            else:
                if not aside or aside.get(own_name, time) <= time:
                    return rank
        return -1

    def _last_resort(self, outlook: Outlook, held: Mapping[str, float], aside: Mapping[str, float]) -> int:
        """The lowest rung that may be used, where it is still under `critical` now."""
        for rank, name in enumerate(self._names):
            if aside.get(name, outlook.time) <= outlook.time:
                return rank if self._is_borne(outlook, rank, held) else -1
        return -1

    def _is_borne(self, outlook: Outlook, rank: int, held: Mapping[str, float]) -> bool:
        return all(self._bears(outlook, pool, need, held) for pool, need in self._held[rank].items())

    def _bears(self, outlook: Outlook, name: str, need: int, held: Mapping[str, float]) -> bool:
        seen = outlook.pools.get(name)
        if seen is None:
            return name in outlook.pools and need <= held.get(name, -1.0)
        return seen.external + need <= self._settings.limit(name, seen.pool.total, self._settings.critical)


def _no_more(need: Mapping[str, int], than: Mapping[str, int]) -> bool:
    return all(count <= than.get(name, 0) for name, count in need.items())
