"""Which rung fits: a pure function of outlook, ladder and what is resident."""

from collections.abc import Mapping, Sequence

import msgspec

from .outlook import Outlook
from .rungs import Residency, Rung, checked_ladder
from .settings import Settings

__all__ = ["Assessment", "Judge", "Residency", "Room", "Rung", "room"]


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
        bound = int(pool.bound(horizon))
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
    be read, and with nothing loaded none contradicts itself.
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


class Judge:
    """Judges every rung of a ladder by what the machine will look like with it."""

    def __init__(self, ladder: Sequence[Rung], settings: Settings) -> None:
        self.ladder = checked_ladder(ladder)
        self._settings = settings
        top = len(self.ladder) - 1
        self.rank_of = {rung.name: top - i for i, rung in enumerate(self.ladder)}
        self._needs = [tuple(rung.need.items()) for rung in reversed(self.ladder)]  # by rank
        self._names = [rung.name for rung in reversed(self.ladder)]
        self._pools = tuple(dict.fromkeys(name for rung in self.ladder for name in rung.need))

    def assess(self, outlook: Outlook, residency: Residency, aside: Mapping[str, float]) -> Assessment:
        """`aside`: rungs not to use, until when."""
        s = self._settings
        high, low, time = s.high, s.low, outlook.time
        adaptive = s.stabilisation == "adaptive"
        stay_room: dict[str, float] = {}
        shrink_room: dict[str, float] = {}
        grow_room: dict[str, float] = {}
        known = sound = True
        rising = False
        pools, reserve = outlook.pools, s.reserve
        for name in self._pools:
            seen = pools.get(name)
            if seen is None:
                known = known and name not in pools  # a pool that the machine never had is no failure
                stay_room[name] = shrink_room[name] = grow_room[name] = -1.0
                continue
            pool = seen.pool
            total = pool.total
            most = total - reserve.get(name, 0) if reserve else total
            bound = seen.bound(outlook.shrink)
            stay_room[name] = min(high * total, most) - bound
            shrink_room[name] = min(s.guarded * total, most) - bound
            below = s.guarded if adaptive and seen.margins[1] is not None else low
            ahead = min(s.guarded * total, most) - seen.bound(outlook.grow)
            grow_room[name] = min(min(below * total, most) - seen.external, ahead)
            sound = sound and pool.own <= pool.used
            rising = rising or seen.slope > 0
        rung = residency.rung
        rank = self.rank_of.get(rung, -1) if rung is not None else -1
        shrink_to = self._best(shrink_room, aside, time)
        grow_to = self._best(grow_room, aside, time) if known and sound else -1
        strain, critical = 0.0, ""
        if rank >= 0:
            strain, critical = self._resident(outlook, rank, stay_room)
            if strain < 1.0 and rank > shrink_to:
                shrink_to = rank
        fits = shrink_to
        if rung is None and not sound:
            known, fits = False, -1  # with nothing loaded, all that could be decided is growth
        if shrink_to < 0:
            shrink_to = self._last_resort(outlook, aside)
        return Assessment(time, outlook, residency, rank, fits, shrink_to, grow_to, strain, critical, known, rising)

    def danger(self, outlook: Outlook, rank: int, *, coming: bool) -> str:
        """Why use is critical with the rung of this rank, now or before a shift could end; empty where it isn't.

        What is loaded counts with what it holds, and one that is still `coming` with its need.
        """
        critical = ""
        for name, need in self._needs[rank] if rank >= 0 else ():
            seen = outlook.pools.get(name)
            if seen is None:
                continue
            edge = self._settings.critical * seen.pool.total
            if (seen.external + need if coming else seen.pool.used) >= edge:
                return "critical"
            if seen.slope > 0 and seen.external + seen.slope * outlook.shift + need >= edge:
                critical = "soon critical"
        return critical

    def _best(self, left: Mapping[str, float], aside: Mapping[str, float], time: float) -> int:
        needs = self._needs
        for rank in range(len(needs) - 1, -1, -1):
            for name, need in needs[rank]:
                if need > left[name]:
                    break
            else:
                if not aside or aside.get(self._names[rank], time) <= time:
                    return rank
        return -1

    def _last_resort(self, outlook: Outlook, aside: Mapping[str, float]) -> int:
        """The lowest rung that may be used, where it is still under `critical` now."""
        s = self._settings
        for rank, name in enumerate(self._names):
            if aside.get(name, outlook.time) <= outlook.time:
                last = self.ladder[len(self.ladder) - 1 - rank]
                found = room(outlook, last, ceiling=s.critical, horizon=0, reserve=s.reserve)
                return rank if found is not None and found.fits else -1
        return -1

    def _resident(self, outlook: Outlook, rank: int, stay_room: Mapping[str, float]) -> tuple[float, str]:
        s = self._settings
        strain = 0.0
        for name, need in self._needs[rank]:
            seen = outlook.pools.get(name)
            if seen is None:
                continue
            total = seen.pool.total
            limit = min(s.high * total, total - s.reserve.get(name, 0)) if s.reserve else s.high * total
            strain = max(strain, 1.0 + (need - stay_room[name]) / limit if limit > 0 else 2.0)
        return strain, self.danger(outlook, rank, coming=False)
