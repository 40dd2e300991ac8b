"""What can be run, and what is."""

import math
from collections.abc import Sequence

import msgspec

from .samples import Whole


class Rung(msgspec.Struct, frozen=True, omit_defaults=True):
    """One way to run the assistant: all that the decisions know of it.

    name: unique on its ladder. need: bytes in each pool, all in, with room for a `context` of so many tokens. quality:
    any scale on which more is better. per_token: bytes in each pool that a further token of context takes (the key and
    value cache). latency: seconds within which a reply should come; None for the settings' own.
    """

    name: str
    need: dict[str, Whole]
    quality: float = 1.0
    context: Whole = 0
    per_token: dict[str, Whole] = {}
    latency: float | None = None

    def _repr_html_(self) -> str:
        from .views.html import record_html

        return record_html(self)


class Residency(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="record", tag="residency"):
    """What is loaded, from `time` on, seconds on the clock of the samples.

    state: `empty`, `shifting`, `ready`. rung: its name, None when empty.
    failed: the rung whose load just failed, or that was lost. seconds: how long the shift took that led here, 0.0 if
    there was none. need: bytes in each pool that `failed`, else `rung`, has turned out to need; empty where nothing
    new is known.
    """

    time: float
    state: str = "empty"
    rung: str | None = None
    failed: str | None = None
    seconds: float = 0.0
    need: dict[str, Whole] = {}

    def _repr_html_(self) -> str:
        from .views.html import record_html

        return record_html(self)


def checked_ladder(ladder: Sequence[Rung]) -> tuple[Rung, ...]:
    """The ladder as it is. Raises TypeError, ValueError, naming what is wrong with it."""
    if not ladder:
        raise ValueError("ladder must hold at least one rung, got an empty one")
    for rung in ladder:
        if not isinstance(rung, Rung):
            raise TypeError(f"ladder must hold Rung objects, best first, got {rung!r}")
        if not math.isfinite(rung.quality):
            raise ValueError(f"quality must be a finite number, got {rung.quality!r} for rung {rung.name!r}")
        for pool, need in rung.need.items():
            if not need >= 0:
                raise ValueError(f"need must be bytes of at least 0, got {pool} = {need!r} for rung {rung.name!r}")
    names = [rung.name for rung in ladder]
    if len(set(names)) != len(names):
        raise ValueError(f"rung names must differ, got {names}")
    for better, worse in zip(ladder, ladder[1:], strict=False):
        if better.quality < worse.quality:
            raise ValueError(
                f"ladder must be best first, but {worse.name!r} (quality {worse.quality:g}) stands below "
                f"{better.name!r} ({better.quality:g}); turn it round, or mend the qualities"
            )
    return tuple(ladder)


def learned(rung: Rung, residency: Residency) -> Rung:
    """The rung, with what it has turned out to need where the residency tells that.

    >>> learned(Rung("small", {"ram": 100}), Residency(0.0, "ready", "small", need={"ram": 120})).need
    {'ram': 120}
    """
    told = residency.need and rung.name == (residency.failed or residency.rung)
    return msgspec.structs.replace(rung, need=residency.need) if told else rung


def qualities(ladder: Sequence[Rung]) -> list[float]:
    """Of each rung from the foot up; places on the ladder where the rungs don't tell them apart."""
    told = [rung.quality for rung in reversed(ladder)]
    if told[0] > 0 and all(lower < upper for lower, upper in zip(told, told[1:], strict=False)):
        return told
    return [float(place) for place in range(1, len(ladder) + 1)]
