"""Which rung fits: a pure function of outlook, ladder and what is resident."""

from collections.abc import Mapping, Sequence

import msgspec

from .outlook import Outlook
from .settings import Settings


class Rung(msgspec.Struct, frozen=True, omit_defaults=True):
    """One way to run the assistant: all that the decisions know of it.

    need: bytes in each pool, all in, with room for `context` tokens. quality: any scale on which more is better.
    per_token: bytes in each pool that a further token of context takes (the key and value cache).
    """

    name: str
    need: dict[str, int]
    quality: float = 1.0
    context: int = 0
    per_token: dict[str, int] = {}


class Residency(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="record", tag="residency"):
    """What is loaded now. state: `empty`, `shifting`, `ready`. rung: its name, None when empty.

    failed: the rung whose load just failed. seconds: how long the shift took that led here, 0.0 if there was none.
    """

    time: float
    state: str = "empty"
    rung: str | None = None
    failed: str | None = None
    seconds: float = 0.0


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


def room(outlook: Outlook, rung: Rung, *, ceiling: float, horizon: float) -> Room | None:
    """The tightest pool that `rung` needs; None when one of them can't be read."""
    tightest = None
    for name, need in rung.need.items():
        pool = outlook.pools.get(name)
        if pool is None:
            return None
        bound = pool.bound(horizon) if horizon > 0 else pool.external
        here = Room(
            name, pool.pool.total, pool.pool.used, pool.external, int(bound), need, ceiling, pool.slope, horizon
        )
        if tightest is None or here.share > tightest.share:
            tightest = here
    return tightest


class Assessment(msgspec.Struct, frozen=True):
    """Ranks count from the ladder's foot: 0 is the last rung, -1 is none.

    shrink_to: best rung under `high` at the horizon, else the last one under `critical` now. grow_to: best rung under
    `low` now; -1 when a pool is unknown. share: of the tightest pool, with the resident rung at the horizon.
    critical: use of a pool that the resident rung is in is past `critical` now. known: all pools could be read.
    """

    time: float
    outlook: Outlook
    residency: Residency
    rank: int
    shrink_to: int
    grow_to: int
    share: float
    critical: bool
    known: bool


def assess(
    outlook: Outlook,
    residency: Residency,
    ladder: Sequence[Rung],
    settings: Settings,
    *,
    horizon: float,
    aside: Mapping[str, float] | None = None,
) -> Assessment:
    """Judge every rung by what the machine will look like with it. `aside`: rungs not to use, until when."""
    top = len(ladder) - 1
    usable = [r for r in ladder if not aside or aside.get(r.name, outlook.time) <= outlook.time]

    def rank_of(rung: Rung) -> int:
        return top - ladder.index(rung)

    def best(ceiling: float, ahead: float) -> int:
        for rung in usable:
            found = room(outlook, rung, ceiling=ceiling, horizon=ahead)
            if found is not None and found.fits:
                return rank_of(rung)
        return -1

    current = next((r for r in ladder if r.name == residency.rung), None)
    rank = rank_of(current) if current is not None else -1
    shrink_to = best(settings.high, horizon)
    if shrink_to < 0 and usable:
        last = room(outlook, usable[-1], ceiling=settings.critical, horizon=0)
        shrink_to = rank_of(usable[-1]) if last is not None and last.fits else -1
    known = all(outlook.pools.get(pool) is not None for rung in ladder for pool in rung.need)
    grow_to = best(settings.low, 0) if known else -1
    here = room(outlook, current, ceiling=settings.high, horizon=horizon) if current is not None else None
    held = [outlook.pools.get(name) for name in current.need] if current is not None else []
    critical = any(p.pool.used >= settings.critical * p.pool.total for p in held if p is not None)
    share = here.share if here is not None else 0.0
    return Assessment(outlook.time, outlook, residency, rank, shrink_to, grow_to, share, critical, known)
