"""One pool over time: the trend of what others use, and bounds that are exceeded as seldom as asked for."""

from collections import deque

import msgspec

from ..operators.calibrated import Calibrator
from ..operators.line import Trend
from ..operators.trend import TrendWindow
from .horizons import Horizons
from .samples import Pool

_MIN_POINTS = 3
_MIN_FIT = 0.8  # share of the variance that a line must explain; a lone step explains at most 0.75
_TESTS = 8  # forecasts to the horizon of the backtest
_QUICK = 12  # times that the backtest of a rise goes into the window
_QUICK_POINTS = 6
_QUICK_FIT = 0.98
_REACH = 1.3  # times as far as it has been seen, a rise is believed to go on
_LEFT = 0.01  # of the pool above its level, where the margin isn't known yet
_STRIDES = 4  # forecasts to a horizon: they overlap, and more of them would hardly tell more
_REMEMBERED = 60.0  # horizons for which an error counts
_GAMMA = 0.002  # one step misses as many forecasts as there are strides: it must not turn the level over
_DOUBT = 2.0  # standard deviations around a trend line


class Backtest:
    """Which forecast came closest lately: the line, the newest value, or the level? Errors are forgotten by half over
    `seconds`. An update is worth its while from `due` on.

    Source: skill against persistence, as meteorology scores forecasts (Murphy, 1992).

    >>> test = Backtest(horizon=2, seconds=10)
    >>> for t in range(6):
    ...     test.update(5.0 * t, 5.0 * t, float(t), slope=5.0 if t else 0.0)
    >>> test.trusts_line, test.trusts_level
    (True, False)
    """

    __slots__ = (
        "_horizon", "_level", "_line", "_pending", "_seconds", "_stride", "_time", "_value", "due", "trusts_level",
        "trusts_line",
    )  # fmt: skip

    def __init__(self, horizon: float, seconds: float) -> None:
        self._horizon, self._stride, self._seconds = horizon, horizon / _TESTS, seconds
        self.due = float("-inf")
        self.trusts_line = self.trusts_level = False
        self._pending: deque[tuple[float, float, float, float]] = deque()
        self._line = self._value = self._level = 0.0
        self._time = float("-inf")

    def update(self, value: float, level: float, time: float, slope: float) -> None:
        pending, due = self._pending, None
        oldest = time - self._horizon
        while pending and pending[0][0] <= oldest:
            due = pending.popleft()
        if due is not None:
            made, was, then, rise = due
            faded = 0.5 ** ((time - self._time) / self._seconds)
            self._time = time
            line = self._line = self._line * faded + abs(was + rise * (time - made) - value)
            same = self._value = self._value * faded + abs(was - value)
            flat = self._level = self._level * faded + abs(then - value)
            self.trusts_line = line < same and line < flat
            self.trusts_level = flat < same
        pending.append((time, value, level, slope))
        self.due = time + self._stride


class Margin:
    """What to add to forecasts `horizon` seconds ahead so that a share `alpha` of them is exceeded; None at first.

    A horizon that has moved by more than a quarter is calibrated anew; until that is done, the old margin stands.
    """

    __slots__ = ("_alpha", "_calibrator", "_next", "_scored", "due", "value")

    def __init__(self, horizon: float, alpha: float) -> None:
        self._alpha = alpha
        self._calibrator = self._new(horizon)
        self._next: Calibrator | None = None
        self.due = float("-inf")
        self._scored = 0
        self.value: float | None = None

    def _new(self, horizon: float) -> Calibrator:
        return Calibrator(horizon, self._alpha, window=_REMEMBERED * horizon, gamma=_GAMMA)

    def update(self, value: float, base: float, time: float, slope: float, horizon: float) -> None:
        """Take the next value and forecast; worth its while from `due` on."""

        def forecast(seconds: float) -> float:
            return base + slope * seconds

        calibrator = self._calibrator
        stride = calibrator.horizon / _STRIDES
        due = self.due + stride
        # in step, so that at each turn a forecast is just a horizon old: older ones would make for wider margins
        self.due = due if due > time else time + stride
        if calibrator.update(value, time, forecast) is not None:
            self._scored += 1
            if self._scored * self._alpha >= _STRIDES:  # else a single step would be the whole tail
                self.value = calibrator.margin
        if self._next is not None or not 0.8 <= horizon / calibrator.horizon <= 1.25:
            if self._next is None or self._next.horizon != horizon:
                self._next = self._new(horizon)
            if self._next.update(value, time, forecast) is not None:
                self._calibrator, self._next = self._next, None


class PoolOutlook(msgspec.Struct, frozen=True, gc=False):
    """One pool: `pool` as read, `external` bytes, and where external use is heading. Bytes and seconds.

    trend: the line through the window; None for a reading that has no place in it. slope: bytes a second of a rise that
    a line describes well and has forecast better than "no change" lately; else 0.0. margins: bytes that the bound adds
    to the forecast at the shrink and the grow horizon, None until enough errors are known. horizon: seconds that the
    first of them reaches. base: where forecasts start, the newest external use or its level over some seconds,
    whichever has forecast better.
    """

    pool: Pool
    external: int
    trend: Trend | None
    slope: float
    margins: tuple[float | None, float | None]
    horizon: float
    base: float

    def holding(self, own: int) -> "PoolOutlook":
        """The same, were `own` bytes of ours in it."""
        pool = Pool(self.pool.total, self.external + own, own)
        return PoolOutlook(pool, self.external, self.trend, self.slope, self.margins, self.horizon, self.base)

    def bound(self, seconds: float) -> float:
        """What external use should not exceed `seconds` ahead; never below what is in use now.

        The forecast plus the margin of the shrink horizon, further ahead of the grow horizon. Before these are known,
        two standard deviations around a line that counts.
        """
        external, slope = self.external, self.slope
        margin = self.margins[seconds > self.horizon]
        if slope > 0:
            if margin is None:
                margin = _DOUBT * self.trend.spread if self.trend is not None else 0.0
            ahead = self.base + slope * seconds + margin
        else:
            ahead = self.base + margin if margin is not None else external
        return ahead if ahead > external and seconds > 0 else external

    def _repr_html_(self) -> str:
        from .views.html import record_html

        return record_html(self)


class Rise:
    """A line through what came since the level was left: it is seen in a third of the time that the window takes."""

    __slots__ = ("_line", "_test")

    def __init__(self, window: float) -> None:
        self._line = TrendWindow(window).update
        self._test = Backtest(window / _QUICK, window)

    def update(self, external: int, level: float, time: float, horizon: float) -> float:
        """Bytes a second, where the line describes the rise well and has forecast better than no change; else 0.0.

        It is less than the line's, where that has not been seen for long enough to be believed up to the horizon.
        """
        line = self._line(external, time)
        if line is None:
            return 0.0
        self._test.update(external, level, time, line.slope)
        if line.slope <= 0 or line.count < _QUICK_POINTS or not (self._test.trusts_line and _fits(line, _QUICK_FIT)):
            return 0.0
        return line.slope * min(1.0, _REACH * line.span / horizon)


class PoolTrack:
    """Follows one pool. `update` gives its outlook; what it keeps is bounded by the windows."""

    __slots__ = (
        "_backtest",
        "_grow",
        "_horizons",
        "_level",
        "_margins",
        "_newest",
        "_rise",
        "_shrink",
        "_slowness",
        "_trend",
        "_window",
    )

    def __init__(self, window: float, alpha: float, horizons: Horizons) -> None:
        self._horizons = horizons
        self._shrink, self._grow = Margin(horizons.shrink, alpha), Margin(horizons.grow, alpha)
        self._margins: tuple[float | None, float | None] = (None, None)
        self._trend = TrendWindow(window).update
        self._backtest = Backtest(min(horizons.shrink, window / 4), window)
        self._window = window
        self._rise: Rise | None = None
        self._slowness, self._newest, self._level = window / 6, float("-inf"), 0.0

    def update(self, pool: Pool, time: float) -> PoolOutlook:
        used, own = pool.used, pool.own
        external = used - own if used > own else 0
        line = self._trend(external, time)
        if line is None:
            return PoolOutlook(pool, external, None, 0.0, (None, None), float("inf"), external)
        step, slowness = time - self._newest, self._slowness
        self._newest = time
        # an average that forgets by event time; at the first item `step` is infinite and the level becomes its value
        value, slope = line[1], line[3]  # by their places, which is quicker, as are sums of floats alone
        level = self._level = value - (value - self._level) * (slowness / (slowness + step))
        test, near, far = self._backtest, self._shrink, self._grow
        left = value - level > (near.value if near.value is not None else _LEFT * pool.total)
        if time >= test.due:
            test.update(value, level, time, slope)
        base, horizon = external, self._horizons.shrink
        if slope <= 0 or not (test.trusts_line and _fits(line, _MIN_FIT)):
            slope = 0.0
            if test.trusts_level and not left:
                base = level
        if left:
            if self._rise is None:
                self._rise = Rise(self._window)
            slope = max(slope, self._rise.update(external, level, time, horizon))
        elif self._rise is not None:
            self._rise = None
        if time >= near.due:
            near.update(value, base, time, slope, horizon)
            self._margins = near.value, far.value
        if time >= far.due:
            far.update(value, base, time, slope, self._horizons.grow)
            self._margins = near.value, far.value
        return PoolOutlook(pool, external, line, slope, self._margins, horizon, base)


def _fits(line: Trend, share: float) -> bool:
    if line.count < _MIN_POINTS:
        return False
    explained = (line.slope * line.span) ** 2 / 12
    return explained >= share * (explained + line.spread**2)
