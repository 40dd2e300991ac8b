"""How cautious to be, in one validated record."""

import math
from typing import Final, Literal

import msgspec

ADAPTIVE: Final = "adaptive"
_GUARD = 0.2  # of the hysteresis
_GAP = 3.0  # intervals; a sensor that misses fewer is late


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Ceilings are fractions of a pool, durations are seconds, `budget` is bytes.

    high: shrink when use would pass it. hysteresis: grow only below high - hysteresis. critical: act at once.
    interval: between samples; fastest: the same while memory runs short. window: of the trend. horizon: the least
    time to look ahead; a slower shift on this machine lengthens it. alpha: share of the forecasts that may turn out
    too low. confirm: how long a shortage in sight must last while use rises. patience: the same while it doesn't, so
    that spikes are sat out. stabilisation: how long a larger rung must have fitted at every moment; "adaptive" asks
    for less than 300 s where a shift is cheap (never less than 10 s), and for more after an upgrade that had to be
    taken back. recovery: the same when nothing is loaded. settle: pause after a shift; up to 15 s while its memory
    has not come back. retry: how long a rung that failed is set aside, twice as long each time. gap: silence that
    restarts the stabilisation, at least 3 intervals. max_shifts_per_hour: growth ends when it could take more; an
    immediate downgrade is free. latency: seconds within which a reply should come; a rung that misses it at half of
    its last replies is stepped down. stall: share of time in which all work waits for memory, from which the machine
    is taken to thrash. reserve: bytes of a pool that are kept free of models, by its name. budget: limit for this
    process and its children together; None for the machine's own limits only.

    >>> Settings(high=0.85, hysteresis=0.05).low
    0.8
    >>> Settings(high=1.2)
    Traceback (most recent call last):
    ValueError: high must be above 0 and at most critical (0.92), got high=1.2
    """

    high: float = 0.80
    hysteresis: float = 0.03
    critical: float = 0.92
    interval: float = 1.0
    fastest: float = 0.1
    window: float = 30.0
    horizon: float = 10.0
    alpha: float = 0.10
    confirm: float = 2.0
    patience: float = 30.0
    stabilisation: float | Literal["adaptive"] = 300.0
    recovery: float = 15.0
    settle: float = 2.0
    retry: float = 60.0
    gap: float = 10.0
    max_shifts_per_hour: int = 6
    latency: float | None = None
    stall: float = 0.10
    reserve: dict[str, int] = {}
    budget: int | None = None

    def __post_init__(self) -> None:
        for name in ("interval", "fastest", "window", "gap", *(["latency"] if self.latency is not None else [])):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be seconds above 0, got {name}={value!r}")
        for name in (
            "horizon",
            "confirm",
            "patience",
            "recovery",
            "settle",
            "retry",
            *([] if self.adaptive else ["stabilisation"]),
        ):
            value = getattr(self, name)
            if isinstance(value, str) or not (math.isfinite(value) and value >= 0):
                more = ' or "adaptive"' if name == "stabilisation" else ""
                raise ValueError(f"{name} must be seconds of at least 0{more}, got {name}={value!r}")
        if not 0 < self.critical <= 1:
            raise ValueError(f"critical must be a fraction above 0 and at most 1, got critical={self.critical!r}")
        if not 0 < self.high <= self.critical:
            raise ValueError(f"high must be above 0 and at most critical ({self.critical}), got high={self.high!r}")
        if not 0 < self.hysteresis < self.high:
            raise ValueError(
                f"hysteresis must be above 0 and below high ({self.high}), got hysteresis={self.hysteresis!r}"
            )
        if not 0.001 <= self.alpha <= 0.5:
            raise ValueError(f"alpha must be a fraction from 0.001 to 0.5, got alpha={self.alpha!r}")
        if not 0 < self.stall <= 1:
            raise ValueError(f"stall must be a fraction above 0 and at most 1, got stall={self.stall!r}")
        if self.max_shifts_per_hour < 0:
            raise ValueError(
                f"max_shifts_per_hour must be at least 0, got max_shifts_per_hour={self.max_shifts_per_hour!r}"
            )
        for name, kept in self.reserve.items():
            if not kept >= 0:
                raise ValueError(f"reserve must be bytes of at least 0 for each pool, got reserve[{name!r}]={kept!r}")
        if self.budget is not None and self.budget <= 0:
            raise ValueError(f"budget must be bytes above 0 or None, got budget={self.budget!r}")

    def limit(self, pool: str, total: int, share: float | None = None) -> float:
        """Bytes of a pool that may be in use: up to `share` of it, by default `high`, and never what is reserved."""
        return min((self.high if share is None else share) * total, total - self.reserve.get(pool, 0))

    def ceilings(self, pool: str, total: int) -> dict[str, float]:
        """Bytes of a pool by name: `low` and `high`, and `critical`, which is acted on whatever is reserved.

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
