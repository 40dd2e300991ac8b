"""Where each pool stands and where it is heading."""

from ..operators.gaps import reset_on_gap
from ..operators.lifting import lift
from ..operators.line import Trend
from ..operators.trend import TrendWindow
from ..operators.typing import Operator
from .samples import Pool, Sample
from .settings import Settings

_DOUBT = 2.0  # standard deviations around the trend line
_MIN_POINTS = 3
_MIN_FIT = 0.8  # share of the variance that a line must explain; a lone step explains at most 0.75


class PoolOutlook:
    """One pool: `pool` as read, and the trend of its external use. Bytes and seconds."""

    __slots__ = ("external", "pool", "trend")

    def __init__(self, pool: Pool, trend: Trend | None) -> None:
        self.pool, self.trend = pool, trend
        self.external = pool.external

    @property
    def slope(self) -> float:
        """Bytes a second of a rise that a line describes well; 0.0 for noise, steps, falls and too few samples."""
        return self.trend.slope if self.trend is not None and self._rises() else 0.0

    def bound(self, seconds: float) -> float:
        """What external use should not exceed `seconds` ahead; never below what is in use now.

        Where a line describes the rise well: its forecast, plus two standard deviations of its residuals.
        """
        if self.trend is None or not self._rises():
            return float(self.external)
        return max(float(self.external), self.trend.forecast(seconds) + _DOUBT * self.trend.spread)

    def _rises(self) -> bool:
        t = self.trend
        if t is None or t.count < _MIN_POINTS or t.slope <= 0:
            return False
        explained = (t.slope * t.span) ** 2 / 12
        return explained >= _MIN_FIT * (explained + t.spread**2)


class Outlook:
    """All pools at one moment; a pool that could not be read is None."""

    __slots__ = ("pools", "sample")

    def __init__(self, sample: Sample, pools: dict[str, PoolOutlook | None]) -> None:
        self.sample, self.pools = sample, pools

    @property
    def time(self) -> float:
        return self.sample.time


class OutlookWindow:
    """The arithmetic of `outlook`, without Rx."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._trends: dict[str, TrendWindow] = {}

    def update(self, sample: Sample) -> Outlook:
        return Outlook(sample, {name: self._look(name, sample.time, pool) for name, pool in sample.pools.items()})

    def _look(self, name: str, time: float, pool: Pool | None) -> PoolOutlook | None:
        if pool is None:
            return None
        window = self._trends.setdefault(name, TrendWindow(self._window))
        return PoolOutlook(pool, window.update(pool.external, time))


def outlook(settings: Settings) -> Operator[Sample, Outlook]:
    """Samples to outlooks: a trend of external use for each pool, started anew after a gap."""
    return reset_on_gap(settings.gap, lift(lambda: OutlookWindow(settings.window).update))
