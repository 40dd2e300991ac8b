"""How cautious to be, in one validated record."""

from collections.abc import Mapping
from textwrap import fill
from typing import Annotated, Any, Final, Literal, get_type_hints

import msgspec

from .about import BYTES, COUNT, FRACTION, SECONDS, About

ADAPTIVE: Final = "adaptive"
_GUARD = 0.2  # of the hysteresis
_GAP = 3.0  # intervals; a sensor that misses fewer is late


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How cautious to be. Fractions are of a pool, durations are seconds, sizes are bytes.

    What is made here is taken as it is: files, the environment and this machine's tier count in `machine_settings`.
    Raises ValueError for a value that can't be, by its name.

    >>> Settings(high=0.85, hysteresis=0.05).low
    0.8
    >>> Settings(high=1.2)
    Traceback (most recent call last):
    ValueError: high must be a fraction above 0 and at most critical (0.92), got high=1.2
    """

    high: Annotated[float, About(
        "Shrink when use would pass it.", FRACTION, above=0, up_to="critical", group="ceiling",
        why="on simulated desktops it reaches 95 % of an oracle's quality without a kill; tiers differ, as a fifth of "
        "a large machine is more than others take at once",
    )] = 0.80  # fmt: skip
    hysteresis: Annotated[float, About(
        "Grow only below high - hysteresis.", FRACTION, above=0, under="high", group="ceiling",
        why="a wider one keeps the larger rung away for longer than the noise of use asks for",
    )] = 0.03  # fmt: skip
    critical: Annotated[float, About(
        "Act at once when use is past it.", FRACTION, above=0, most=1, group="ceiling",
        why="leaves the kernel 1 to 4 GiB, by tier, under which it would evict the weights and every token stall",
    )] = 0.92  # fmt: skip
    interval: Annotated[float, About(
        "Between samples.", SECONDS, above=0,
        why="costs about 0.03 % of one core, and is short beside a shift",
    )] = 1.0  # fmt: skip
    fastest: Annotated[float, About(
        "Between samples while memory runs short.", SECONDS, above=0,
        why="a program can take gigabytes within a second, and ten samples still cost little",
    )] = 0.1  # fmt: skip
    window: Annotated[float, About(
        "How far back the trend looks.", SECONDS, above=0,
        why="thirty samples are enough for a steady slope, and few enough to follow what has just begun to grow",
    )] = 30.0  # fmt: skip
    horizon: Annotated[float, About(
        "The least time to look ahead; a slower shift on this machine lengthens it.", SECONDS, least=0,
        why="about what 10 GB take from a disk, until this machine's own shifts have been timed",
    )] = 10.0  # fmt: skip
    alpha: Annotated[float, About(
        "Share of the forecasts that may turn out too low.", FRACTION, least=0.001, most=0.5,
        why="a smaller share asks for margins that cost quality on jumpy machines; a miss still meets critical",
    )] = 0.10  # fmt: skip
    confirm: Annotated[float, About(
        "How long a shortage in sight must last while use rises.", SECONDS, least=0,
        why="two samples, so that a single odd reading moves nothing",
    )] = 2.0  # fmt: skip
    patience: Annotated[float, About(
        "How long a shortage in sight must last while use does not rise.", SECONDS, least=0,
        why="most use that stands above the ceiling without rising is a spike, and gone sooner",
    )] = 30.0  # fmt: skip
    stabilisation: Annotated[float | Literal["adaptive"], About(
        "How long a larger rung must have fitted at every moment. \"adaptive\" asks for less than 300 s where a shift "
        "is cheap (never less than 10 s), and for more after an upgrade that had to be taken back.",
        SECONDS, least=0, word=ADAPTIVE,
        why="as long as the Kubernetes autoscaler waits in its own careful direction; growth can wait, and a reversal "
        "costs two shifts",
    )] = 300.0  # fmt: skip
    recovery: Annotated[float, About(
        "How long a rung must have fitted when nothing is loaded.", SECONDS, least=0,
        why="nothing answers meanwhile, so far less than stabilisation, and long enough for a spike to pass",
    )] = 15.0  # fmt: skip
    settle: Annotated[float, About(
        "Pause after a shift; up to 15 s while its memory has not come back.", SECONDS, least=0,
        why="memory is given back late, as ollama found, and would look like another shortage; systemd-oomd waits 15 s",
    )] = 2.0  # fmt: skip
    retry: Annotated[float, About(
        "How long a rung that failed is set aside, twice as long each time.", SECONDS, least=0,
        why="a load that failed for lack of memory seldom works at once, and a broken rung should cost ever less",
    )] = 60.0  # fmt: skip
    gap: Annotated[float, About(
        "Silence that restarts the stabilisation, at least 3 intervals.", SECONDS, above=0,
        why="a machine that slept, or stood still, says nothing of what happened meanwhile",
    )] = 10.0  # fmt: skip
    max_shifts_per_hour: Annotated[int, About(
        "Growth ends when it could take more; an immediate downgrade is free.", COUNT, least=0,
        why="three times up and back; a machine that swings more often is better served by the smaller rung",
    )] = 6  # fmt: skip
    latency: Annotated[float | None, About(
        "Time within which a reply should come; a rung that misses it at half of its last replies is stepped down.",
        SECONDS, above=0, none="no limit", example=20.0,
        why="only the app knows what is slow; a rung of the ladder may name its own",
    )] = None  # fmt: skip
    stall: Annotated[float, About(
        "Share of time in which all work waits for memory, from which the machine is taken to thrash.",
        FRACTION, above=0, most=1,
        why="a model just over its limit was measured to stall 14 % of the time, ten times slower and with no error",
    )] = 0.10  # fmt: skip
    reserve: Annotated[dict[str, int], About(
        "Kept free of models, whatever high allows.", BYTES, least=0, by_pool=True, example={"ram": "4 GiB"},
        why="what high leaves is enough, unless something large is known to start later",
    )] = {}  # fmt: skip
    budget: Annotated[int | None, About(
        "Limit for this process and its children together.", BYTES, above=0, none="no limit of its own",
        example="8 GiB",
        why="the limits of the machine and its control groups are read anyway",
    )] = None  # fmt: skip

    def __post_init__(self) -> None:
        if found := problem({name: getattr(self, name) for name in self.__struct_fields__}):
            raise ValueError(found.text)

    def limit(self, pool: str, total: int, share: float | None = None) -> float:
        """Bytes of a pool of `total` bytes that may be in use: up to a fraction `share` of it, by default `high`, and
        never what is reserved."""
        return min((self.high if share is None else share) * total, total - self.reserve.get(pool, 0))

    def ceilings(self, pool: str, total: int) -> dict[str, float]:
        """Bytes of a pool of `total` bytes, by name: `low` and `high`, and `critical`.

        That last one is acted on whatever is reserved.

        >>> Settings(reserve={"ram": 400}).ceilings("ram", 1000)
        {'low': 600, 'high': 600, 'critical': 920.0}
        """
        low, high = (self.limit(pool, total, share) for share in (self.low, self.high))
        return {"low": low, "high": high, "critical": self.critical * total}

    @property
    def silence(self) -> float:
        """Seconds without a sample after which what was seen before counts no more."""
        return max(self.gap, _GAP * self.interval)

    @property
    def adaptive(self) -> bool:
        """Does the stabilisation adapt?"""
        return self.stabilisation == ADAPTIVE

    @property
    def guarded(self) -> float:
        """Fraction under which a smaller rung must bring use, so that noise doesn't call for the next one at once."""
        return self.high - _GUARD * self.hysteresis

    @property
    def low(self) -> float:
        """Fraction below which growth is allowed."""
        return round(self.high - self.hysteresis, 12)

    def _repr_html_(self) -> str:
        from .views.html import record_html

        return record_html(self)


class Problem(msgspec.Struct, frozen=True):
    """What is wrong, and the fields that it is about, the one to blame first."""

    text: str
    fields: tuple[str, ...]


ABOUT: Final[Mapping[str, About]] = {
    name: hint.__metadata__[0] for name, hint in get_type_hints(Settings, include_extras=True).items()
}
"""What each field says of itself, by its name."""


def problem(values: Mapping[str, Any]) -> Problem | None:
    """The first value that can't be, alone or beside the others; None where they may all be together."""
    for name, value in values.items():
        if wrong := ABOUT[name].wrong(name, value):
            return Problem(f"{name} must be {ABOUT[name].allowed(values)}, got {wrong}", (name,))
    for name, value in values.items():
        if other := ABOUT[name].beyond(value, values):
            return Problem(f"{name} must be {ABOUT[name].allowed(values)}, got {name}={value!r}", (name, other))
    return None


def explained(name: str) -> str:
    """What a field does, what may stand in it, its default and why, in sentences."""
    about, usual = ABOUT[name], getattr(_DEFAULTS, name)
    default = about.none if usual is None else "nothing" if usual == {} else f"{usual:g}"
    allowed = about.allowed()
    return f"{about.what} {allowed[0].upper()}{allowed[1:]}. By default {default}: {about.why}."


def _paragraph(name: str) -> str:
    return "\n" + fill(f"{name}: {explained(name)}", 116, initial_indent=" " * 4, subsequent_indent=" " * 4) + "\n"


_DEFAULTS: Final = Settings()
Settings.__doc__ = (Settings.__doc__ or "").rstrip() + "\n" + "".join(map(_paragraph, ABOUT))
