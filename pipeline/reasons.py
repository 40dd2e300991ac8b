"""The numbers behind a decision."""

import msgspec

from .policy import Assessment, Room, room
from .rungs import Rung
from .settings import Settings
from .words import Reason

_AT_ONCE = ("critical", "soon critical")  # what is critical is so whatever is reserved
_CRITICAL = (*_AT_ONCE, "nothing fits")
_BY_WHAT_IS_READ = (*_AT_ONCE, "forecast")  # pools that can't be, or are no longer there, have no part in it


def reason_for(
    rule: str, a: Assessment, settings: Settings, *, rung: Rung, up: bool, last: bool, lasted: float,
    back_after: float, detail: str,
) -> Reason:  # fmt: skip
    """`rung`: what the numbers are about, the one left, or for growth the one taken. `last`: there is none below it."""
    ceiling = settings.critical if rule in _CRITICAL else settings.low if rule == "room" else settings.high
    horizon = a.outlook.grow if rule == "room" else a.outlook.shrink
    reserve = None if rule in _AT_ONCE else settings.reserve
    if rule in _BY_WHAT_IS_READ:
        rung = msgspec.structs.replace(rung, need={p: need for p, need in rung.need.items() if a.outlook.pools.get(p)})
    seen = room(a.outlook, rung, ceiling=ceiling, horizon=horizon, reserve=reserve)
    if rule == "fits" and seen is not None and not seen.fits:  # the last rung may be loaded up to there
        seen = room(a.outlook, rung, ceiling=settings.critical, horizon=horizon, reserve=reserve)
    if rule == "room" and seen is not None and not _holds(seen):  # it may be taken up to a little below `high`
        seen = room(a.outlook, rung, ceiling=settings.high, horizon=horizon, reserve=reserve)
    if seen is None:
        return Reason(rule, lasted=lasted, detail=detail or "a pool could not be read")
    left = seen.ceiling * seen.total - seen.external - seen.need
    seconds = 0.0 if left <= 0 else left / seen.slope if seen.slope > 0 else None
    opposite = settings.low if not up else settings.critical if last else settings.high
    back_at = int(max(0.0, settings.limit(seen.pool, seen.total, opposite) - seen.need))
    if rule == "nothing fits" and _holds(seen):  # so it isn't memory that keeps it from being loaded
        detail, back_at = "every rung that would fit is set aside for a while", 0
    return Reason(
        rule=rule, pool=seen.pool, total=seen.total, used=seen.used, external=seen.external, bound=seen.bound,
        need=seen.need, ceiling=seen.ceiling, horizon=seen.horizon, slope=seen.slope, seconds_left=seconds,
        lasted=lasted, back_at=back_at, back_after=back_after, detail=detail,
    )  # fmt: skip


def _holds(seen: Room) -> bool:
    """Is there room for it under the ceiling beside what others hold now?"""
    return seen.external + seen.need <= seen.ceiling * seen.total
