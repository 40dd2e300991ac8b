"""How a pool stands now: in numbers, as a bar with its ceilings, and how much time is left."""

from ..settings import Settings
from ..tracking import PoolOutlook
from .plot import MARGIN
from .spans import Glyphs, Line, fitted, shortened, spread
from .wording import gib, lasting, pace


def numbers(name: str, seen: PoolOutlook, width: int, *, pretended: bool) -> Line:
    """In use, of which others and ours; and the trend of the others."""
    total, used = seen.pool.total, seen.pool.used
    ours = f", ours {gib(used - seen.external)}" if used > seen.external else ""
    left: Line = [
        (f"{shortened(name, MARGIN - 1):<{MARGIN}}", "strong"),
        (f"{used / total:.0%} of {gib(total)} GiB in use: ", ""),
        (f"others {gib(seen.external)}", "external"),
        (ours + (" in pretence" if ours and pretended else ""), "own"),
    ]
    return spread(left, [(pace(seen.slope), "bound" if seen.slope > 0 else "dim")], width)


def bar(seen: PoolOutlook, ahead: float, settings: Settings, name: str, width: int, glyphs: Glyphs) -> list[Line]:
    """Others, then ours, of the whole pool; below it letters where bound, low, high and critical stand."""
    room, total = width - MARGIN, seen.pool.total
    external, used = (min(room, round(count / total * room)) for count in (seen.external, seen.pool.used))
    body: Line = [
        (" " * MARGIN, ""), (glyphs.others * external, "external"), (glyphs.own * (used - external), "own"),
        (glyphs.free * (room - used), "dim"),
    ]  # fmt: skip
    letters: dict[int, tuple[str, str]] = {}
    levels = {"bound": seen.bound(ahead) + seen.pool.used - seen.external, **settings.ceilings(name, total)}
    for (role, place), letter in zip(levels.items(), "^LHC", strict=True):
        letters[min(room - 1, max(0, round(place / total * room) - (letter == "^")))] = (letter, role)
    below: Line = [(" " * MARGIN, "")]
    at = 0
    for place in sorted(letters):
        below += [(" " * (place - at), ""), letters[place]]
        at = place + 1
    return [fitted(body, width), fitted(below, width)]


def forecast(seen: PoolOutlook, ahead: float, settings: Settings, name: str, width: int) -> Line:
    """What others may hold at the horizon, and how far the ceiling is."""
    total, own = seen.pool.total, seen.pool.used - seen.external
    reach = seen.bound(ahead)
    return fitted(
        [
            (" " * MARGIN, ""),
            left(seen, settings, name),
            ("; ", "dim"),
            (f"^ others at most {gib(reach)} in {lasting(ahead)}, {(reach + own) / total:.0%} in all", "bound"),
        ],
        width,
    )


def left(seen: PoolOutlook, settings: Settings, name: str) -> tuple[str, str]:
    """Time until the ceiling at this pace, in words."""
    total, used = seen.pool.total, seen.pool.used
    levels = settings.ceilings(name, total)
    limit = levels["high"]
    if used >= levels["critical"]:
        return f"past critical, C {settings.critical:.0%}", "critical"
    if used > limit:
        return f"past the ceiling, H {limit / total:.0%}", "high"
    if seen.slope > 0:
        return f"ceiling H {limit / total:.0%} in {lasting((limit - used) / seen.slope)}", "high"
    return f"ceiling H {limit / total:.0%} not in sight", "good"


def brief(name: str, seen: PoolOutlook | None, settings: Settings, width: int, glyphs: Glyphs) -> Line:
    """All of it in one line, where there are many pools."""
    head = (f"{shortened(name, MARGIN - 1):<{MARGIN}}", "strong")
    if seen is None:
        return fitted([head, ("can't be read", "critical")], width)
    total, used, room = seen.pool.total, seen.pool.used, max(8, width // 5)
    external, filled = (min(room, round(count / total * room)) for count in (seen.external, used))
    return fitted(
        [
            head, (glyphs.others * external, "external"), (glyphs.own * (filled - external), "own"),
            (glyphs.free * (room - filled), "dim"), (f" {used / total:4.0%} of {gib(total)} GiB, ", ""),
            (f"others {gib(seen.external)}", "external"), (f", ours {gib(used - seen.external)}", "own"), (", ", ""),
            left(seen, settings, name),
        ],
        width,
    )  # fmt: skip
