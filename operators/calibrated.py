"""Forecasts with a margin that is exceeded as often as asked for."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterable
from math import ceil
from typing import Any, Protocol, TypeVar, overload

from .lifting import NOTHING, Nothing, lift
from .typing import (
    EARLIEST,
    LATEST,
    LEAST,
    LIMIT,
    Operator,
    Stamped,
    fraction,
    functions,
    item_time,
    item_value,
    positive,
)

__all__ = ["Calibrator", "Forecasting", "calibrated", "item_forecast"]

A = TypeVar("A")


class Forecasting(Protocol):
    """What the default `forecast=` selector asks of an item; a `Trend` has it."""

    def forecast(self, seconds: float, /) -> float:
        """What the value will be `seconds` after the item, in units of the series."""
        ...


class Calibrator:
    """The arithmetic of `calibrated` for one horizon, without Rx.

    horizon, window: seconds. alpha: the share of misses asked for, and gamma: the step of the adaptation, both above 0
    and below 1. `level` is the share that the quantile is taken for now, `margin` what is added to the next forecast,
    None while that is not known. An item costs O(log n) comparisons and the shift of a sorted list, n being the errors
    in the window. Raises TypeError, ValueError.

    >>> bound = Calibrator(horizon=1, alpha=0.25, window=60)
    >>> [bound.update(v, t, lambda s, v=v: v) for t, v in enumerate([5.0, 7.0, 6.0, 9.0, 8.0])]
    [None, None, None, 12.0, 11.0]
    """

    __slots__ = (
        "_enough", "_errors", "_newest", "_ordered", "_pending", "alpha", "gamma", "horizon", "level", "margin",
        "window",
    )  # fmt: skip

    def __init__(self, horizon: float, alpha: float, *, window: float, gamma: float = 0.005) -> None:
        self.horizon, self.window = positive("horizon", horizon), positive("window", window)
        self.alpha, self.gamma = fraction("alpha", alpha), fraction("gamma", gamma)
        self.level = self.alpha
        self.margin: float | None = None
        odds = (1 - self.alpha) / self.alpha
        if not 1e-9 < odds < 1e9:
            raise ValueError(f"alpha must be at least a billionth away from 0 and 1, got alpha={alpha!r}")
        self._enough = max(2, ceil(max(odds, 1 / odds) - 1e-9))
        self._newest = EARLIEST
        self._pending: deque[tuple[float, Callable[[float], float], float | None]] = deque()
        self._errors: deque[tuple[float, float]] = deque()
        self._ordered: list[float] = []

    def update(self, value: float, time: float, forecast: Callable[[float], float]) -> float | None:
        """The bound on the value `horizon` seconds later; None while there is none, and for an item left out.

        value: in units of the series. time: seconds. forecast: what the value will be so many seconds after `time`.
        """
        if not (self._newest <= time < LATEST and LEAST < value < LIMIT):
            return None
        ahead = float(forecast(self.horizon))
        if not LEAST < ahead < LIMIT:
            return None
        value, time = float(value), float(time)
        self._newest = time
        self._score(value, time)
        if self._pending and self._pending[-1][0] == time:
            self._pending.pop()  # only the last of one moment is ever scored
        self._pending.append((time, forecast, self.margin))
        return None if self.margin is None else ahead + self.margin

    def _score(self, value: float, time: float) -> None:
        """Compare the value with the latest of the forecasts that have fallen due, by what it says for this moment."""
        pending, due = self._pending, None
        while pending and pending[0][0] + self.horizon <= time:
            due = pending.popleft()
        if due is None:
            return
        made, forecast, margin = due
        error = value - float(forecast(time - made))
        if not LEAST < error < LIMIT:
            return
        if margin is not None:
            self._adapt(error, margin)
        errors, ordered, enough, oldest = self._errors, self._ordered, self._enough, time - self.window
        errors.append((time, error))
        insort(ordered, error)
        while len(errors) > enough and errors[0][0] < oldest:
            del ordered[bisect_left(ordered, errors.popleft()[1])]
        if len(errors) >= enough:
            self.margin = self._quantile()

    def _adapt(self, error: float, margin: float) -> None:
        """Move the level: a miss down, a hit up. A hit that is just at the margin says little (a series that stands
        still gives nothing else), so it only leads back to alpha."""
        if error > margin:
            level = self.level - self.gamma * (1 - self.alpha)
            self.level = level if level > -1.0 else -1.0
        elif error < margin or self.level < self.alpha:
            level = self.level + self.gamma * self.alpha
            self.level = level if level < 1.0 else 1.0

    def _quantile(self) -> float:
        """The 1 − level quantile of the errors; for a level below 0 further out than the largest, in proportion."""
        ordered = self._ordered
        n = len(ordered)
        rank = ceil((1 - self.level) * (n + 1))
        if rank <= n:
            return ordered[rank - 1 if rank > 1 else 0]
        return ordered[-1] + max(0.0, -self.level) * (ordered[-1] - ordered[0])


def item_forecast(item: Any, seconds: float) -> float:
    """The default `forecast=` selector: the item's own `.forecast(seconds)`."""
    return item.forecast(seconds)


@overload
def calibrated(
    horizon: float,
    alpha: float,
    *,
    window: float,
    gamma: float = ...,
    value: Callable[[Any], float] = ...,
    time: Callable[[Any], float] = ...,
) -> Operator[Forecasting, Stamped[float]]: ...
@overload
def calibrated(
    horizon: Iterable[float],
    alpha: float,
    *,
    window: float,
    gamma: float = ...,
    value: Callable[[Any], float] = ...,
    time: Callable[[Any], float] = ...,
) -> Operator[Forecasting, Stamped[tuple[float, ...]]]: ...
@overload
def calibrated(
    horizon: float,
    alpha: float,
    *,
    window: float,
    gamma: float = ...,
    value: Callable[[A], float] = ...,
    time: Callable[[A], float] = ...,
    forecast: Callable[[A, float], float],
) -> Operator[A, Stamped[float]]: ...
@overload
def calibrated(
    horizon: Iterable[float],
    alpha: float,
    *,
    window: float,
    gamma: float = ...,
    value: Callable[[A], float] = ...,
    time: Callable[[A], float] = ...,
    forecast: Callable[[A, float], float],
) -> Operator[A, Stamped[tuple[float, ...]]]: ...
def calibrated(
    horizon: float | Iterable[float],
    alpha: float,
    *,
    window: float,
    gamma: float = 0.005,
    value: Callable[[Any], float] = item_value,
    time: Callable[[Any], float] = item_time,
    forecast: Callable[[Any, float], float] = item_forecast,
) -> Operator[Any, Stamped[Any]]:
    """Turn forecasts into upper bounds that the value `horizon` seconds later exceeds in a share `alpha` of cases.

    ::

        trends:  --A---B---C---D---E--|
                 calibrated(horizon=1, alpha=0.5, window=60)
        bounds:  ------b---c---d---e--|

    The margin is a quantile of the recent errors of the same forecasts, `horizon` seconds ahead. Which quantile
    adapts: each miss widens it by gamma × (1 − alpha), each hit narrows it by gamma × alpha, so the share of misses
    tends to `alpha` however the series is distributed, and through its changes; where even the largest error of the
    window is not enough, the margin goes beyond it, by up to the spread of the errors (growth that doubles with each
    item outruns it). A series that repeats itself exactly misses less often: a hit just at the margin does not narrow
    it. The bound may be below the present value: a policy that wants more caution takes the larger.

    A forecast is scored by the first item at or after its time, by what it said for just that moment; when one item
    finds several due, it scores the latest of them. Nothing is emitted until as many errors are known as tell the
    quantile: (1 − alpha) / alpha, or alpha / (1 − alpha) if that is more, and at least 2. An empty stream stays empty.
    An item whose time, value or forecast is NaN, infinite or out of range (±1e15 s, ±1e38), or whose time is before
    the newest one, is left out. Of items at one time each is scored, and the last one's forecast counts.

    Args:
        horizon: how far ahead, seconds; or several such.
        alpha: the share of misses to allow, above 0 and below 1.
        window: how long an error counts, seconds; but as many as tell the quantile always do.
        gamma: the step of the adaptation, above 0 and below 1.
        value: selects the number that was forecast from an item.
        time: selects the event time from an item, seconds.
        forecast: gives an item's forecast for so many seconds after it.

    Returns:
        An operator from items to `Stamped(time, bound)`; for several horizons to `Stamped(time, (bound, …))` in
        their order, once all of them are known.

    Raises:
        TypeError, ValueError: at construction, naming the parameter.

    >>> import reactivex
    >>> from gearshift.operators import Stamped, calibrated
    >>> steps = reactivex.of(*[Stamped(t, v) for t, v in enumerate([5, 7, 6, 9, 8])])
    >>> no_change = calibrated(horizon=1, alpha=0.25, window=60, forecast=lambda item, seconds: item.value)
    >>> _ = steps.pipe(no_change).subscribe(lambda bound: print(bound.time, bound.value))
    3 12.0
    4 11.0

    Source: I. Gibbs and E. Candès, "Adaptive conformal inference under distribution shift" (NeurIPS 2021).
    """
    functions(value=value, time=time, forecast=forecast)
    several = isinstance(horizon, Iterable)
    horizons = tuple(horizon) if isinstance(horizon, Iterable) else (horizon,)
    if not horizons:
        raise ValueError("horizon must be a number or at least one of them, got none")

    def calibrators() -> list[Calibrator]:
        return [Calibrator(h, alpha, window=window, gamma=gamma) for h in horizons]

    calibrators()

    def make() -> Callable[[Any], Stamped[Any] | Nothing]:
        updates = [calibrator.update for calibrator in calibrators()]

        def bound(item: Any) -> Stamped[Any] | Nothing:
            held, at = value(item), time(item)
            bounds = [update(held, at, lambda s: forecast(item, s)) for update in updates]
            if None in bounds:
                return NOTHING
            return Stamped(at, tuple(bounds) if several else bounds[0])

        return bound

    return lift(make)
