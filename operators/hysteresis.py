"""A threshold that is entered high and left low."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, cast, overload

from .lifting import lift_series
from .typing import Operator, Stamped, Valued, finite, item_time, item_value, whole

__all__ = ["SchmittLevels", "SchmittTrigger", "hysteresis"]

A = TypeVar("A")


class SchmittTrigger:
    """The arithmetic of `hysteresis(low, high)`, without Rx.

    low, high: where it is left and entered, in units of the value. initial: whether it is on before the first value.
    Raises TypeError, ValueError.

    >>> trigger = SchmittTrigger(low=0.7, high=0.8)
    >>> [trigger.update(v) for v in (0.75, 0.8, 0.75, 0.7, 0.75)]
    [False, True, True, False, False]
    """

    __slots__ = ("high", "low", "on")

    def __init__(self, low: float, high: float, *, initial: bool = False) -> None:
        self.low, self.high = _gap("low", low, "high", high)
        given: Any = initial
        if not isinstance(given, bool):
            raise TypeError(f"initial must be True or False, got initial={given!r}")
        self.on = given

    def update(self, value: float, time: float = 0.0) -> bool:  # noqa: ARG002 - a trigger has no use for the time
        """Is it on now? value: in the units of `low` and `high`. time: seconds, of no use here."""
        if value >= self.high:
            self.on = True
        elif value <= self.low:
            self.on = False
        return self.on


class SchmittLevels:
    """The arithmetic of `hysteresis(levels=[…])`, without Rx: how many of the (low, high) triggers are on.

    levels: (low, high) of each in units of the value, both rising. initial: how many are on before the first value.
    Raises TypeError, ValueError.

    >>> use = SchmittLevels([(0.7, 0.8), (0.85, 0.92)])
    >>> [use.update(v) for v in (0.75, 0.95, 0.88, 0.8, 0.7)]
    [0, 2, 2, 1, 0]
    """

    __slots__ = ("_highs", "_lows", "level")

    def __init__(self, levels: Sequence[tuple[float, float]], *, initial: int = 0) -> None:
        pairs = _pairs(levels)
        self._lows, self._highs = [low for low, _ in pairs], [high for _, high in pairs]
        for name, edges in (("low", self._lows), ("high", self._highs)):
            for i, (lower, upper) in enumerate(zip(edges, edges[1:], strict=False)):
                if not lower < upper:
                    raise ValueError(
                        f"levels must rise, got levels[{i}] {name}={lower!r} and levels[{i + 1}] {name}={upper!r}"
                    )
        if whole("initial", initial, least=0) > len(pairs):
            raise ValueError(f"initial must be a level from 0 to {len(pairs)}, got initial={initial!r}")
        self.level = initial

    def update(self, value: float, time: float = 0.0) -> int:  # noqa: ARG002 - a trigger has no use for the time
        """How many are on now? value: in the units of `levels`. time: seconds, of no use here."""
        level, highs, lows = self.level, self._highs, self._lows
        while level < len(highs) and value >= highs[level]:
            level += 1
        while level and value <= lows[level - 1]:
            level -= 1
        self.level = level
        return level


def _gap(low_name: str, low: float, high_name: str, high: float) -> tuple[float, float]:
    below, above = finite(low_name, low), finite(high_name, high)
    if not below < above:
        raise ValueError(f"{low_name} must be below {high_name}, got {low_name}={low!r} {high_name}={high!r}")
    return below, above


def _pairs(levels: Any) -> tuple[tuple[float, float], ...]:
    if not isinstance(levels, Iterable):
        raise TypeError(f"levels must be a sequence of (low, high), got levels={levels!r}")
    pairs = tuple(_pair(i, pair) for i, pair in enumerate(cast("Iterable[Any]", levels)))
    if not pairs:
        raise ValueError("levels must hold at least one (low, high), got an empty sequence")
    return pairs


def _pair(i: int, pair: tuple[float, float]) -> tuple[float, float]:
    try:
        low, high = pair
    except (TypeError, ValueError):
        raise ValueError(f"levels must hold pairs (low, high), got levels[{i}]={pair!r}") from None
    return _gap(f"levels[{i}] low", low, f"levels[{i}] high", high)


@overload
def hysteresis(
    low: float, high: float, *, initial: bool = ..., time: Callable[[Any], float] = ...
) -> Operator[Valued[float], Stamped[bool]]: ...
@overload
def hysteresis(
    low: float,
    high: float,
    *,
    initial: bool = ...,
    value: Callable[[A], float],
    time: Callable[[A], float] = ...,
) -> Operator[A, Stamped[bool]]: ...
@overload
def hysteresis(
    *, levels: Sequence[tuple[float, float]], initial: int = ..., time: Callable[[Any], float] = ...
) -> Operator[Valued[float], Stamped[int]]: ...
@overload
def hysteresis(
    *,
    levels: Sequence[tuple[float, float]],
    initial: int = ...,
    value: Callable[[A], float],
    time: Callable[[A], float] = ...,
) -> Operator[A, Stamped[int]]: ...
def hysteresis(
    low: float | None = None,
    high: float | None = None,
    *,
    levels: Sequence[tuple[float, float]] | None = None,
    initial: int | None = None,
    value: Callable[[Any], float] = item_value,
    time: Callable[[Any], float] = item_time,
) -> Operator[Any, Stamped[Any]]:
    """Say at every item in which state the series is: a state is entered at its `high` and left at its `low`.

    ::

        values:  --.75--.80--.75--.70--.75--|
                 hysteresis(low=.7, high=.8)
        state:   ---F----T----T----F----F---|

    With `levels`, the state is an index: 0 below them all, 1 in the first, and so on; one item may cross several.
    An empty stream stays empty. NaN changes nothing: the state is repeated. Infinities count as very high or low.
    Times are handed on as they come, equal or backward; an item whose time is NaN, infinite or beyond ±1e15 is left
    out.

    Args:
        low: the state is left at or below this (units of the value).
        high: the state is entered at or above this.
        levels: instead of `low` and `high`: (low, high) of each level, both rising from level to level.
        initial: the state before the first item: a bool, or with `levels` an index.
        value: selects the number from an item.
        time: selects the event time from an item, seconds.

    Returns:
        An operator from items to `Stamped(time, bool)`, or with `levels` to `Stamped(time, int)`, one for each item.

    Raises:
        TypeError, ValueError: at construction, naming the parameter.

    >>> import reactivex
    >>> from gearshift.operators import Stamped, hysteresis
    >>> use = reactivex.of(*[Stamped(t, v) for t, v in enumerate((0.75, 0.8, 0.75, 0.7))])
    >>> _ = use.pipe(hysteresis(low=0.7, high=0.8)).subscribe(lambda s: print(s.time, s.value))
    0 False
    1 True
    2 True
    3 False

    Source: the Schmitt trigger (O. H. Schmitt, 1938).
    """
    if levels is not None:
        if low is not None or high is not None:
            raise ValueError(f"give either low and high or levels, got low={low!r} high={high!r} levels={levels!r}")
        edges, start = _pairs(levels), 0 if initial is None else initial
        return lift_series(lambda: SchmittLevels(edges, initial=start).update, value=value, time=time)
    if low is None or high is None:
        raise TypeError(f"hysteresis needs both low and high, or levels, got low={low!r} high={high!r}")
    on: Any = False if initial is None else initial
    return lift_series(lambda: SchmittTrigger(low, high, initial=on).update, value=value, time=time)
