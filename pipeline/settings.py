"""How cautious to be, in one validated record."""

import math

import msgspec


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Ceilings are fractions of a pool, durations are seconds, `budget` is bytes.

    high: shrink when use would pass it. hysteresis: grow only below high - hysteresis. critical: act at once.
    interval: between samples; fastest: the same while memory runs short. window: of the trend. horizon: the least time
    to look ahead; a slower shift on this machine lengthens it. confirm: how long a shortage in sight must last.
    stabilisation: how long a larger rung must have fitted at every moment. recovery: the same when nothing is loaded.
    settle: pause for planned decisions after a shift. retry: how long a rung that failed is set aside. gap: silence
    that restarts the stabilisation. budget: limit for this process and its children together; None for the machine's
    own limits only.

    >>> Settings(high=0.85, hysteresis=0.05).low
    0.8
    >>> Settings(high=1.2)
    Traceback (most recent call last):
    ValueError: high must be above 0 and at most critical (0.92), got high=1.2
    """

    high: float = 0.80
    hysteresis: float = 0.10
    critical: float = 0.92
    interval: float = 1.0
    fastest: float = 0.1
    window: float = 30.0
    horizon: float = 10.0
    confirm: float = 2.0
    stabilisation: float = 300.0
    recovery: float = 15.0
    settle: float = 2.0
    retry: float = 60.0
    gap: float = 10.0
    budget: int | None = None

    def __post_init__(self) -> None:
        for name in ("interval", "fastest", "window", "gap"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be seconds above 0, got {name}={value!r}")
        for name in ("horizon", "confirm", "stabilisation", "recovery", "settle", "retry"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} must be seconds of at least 0, got {name}={value!r}")
        if not 0 < self.critical <= 1:
            raise ValueError(f"critical must be a fraction above 0 and at most 1, got critical={self.critical!r}")
        if not 0 < self.high <= self.critical:
            raise ValueError(f"high must be above 0 and at most critical ({self.critical}), got high={self.high!r}")
        if not 0 < self.hysteresis < self.high:
            raise ValueError(
                f"hysteresis must be above 0 and below high ({self.high}), got hysteresis={self.hysteresis!r}"
            )
        if self.budget is not None and self.budget <= 0:
            raise ValueError(f"budget must be bytes above 0 or None, got budget={self.budget!r}")

    @property
    def low(self) -> float:
        """Fraction below which growth is allowed."""
        return round(self.high - self.hysteresis, 12)
