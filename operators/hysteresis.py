"""A threshold that is entered high and left low."""

import math
from collections.abc import Callable
from typing import Any

from .lifting import lift
from .typing import Operator, Stamped, item_time, item_value


class SchmittTrigger:
    """The arithmetic of `hysteresis`, without Rx.

    >>> trigger = SchmittTrigger(low=0.7, high=0.8)
    >>> [trigger.update(v) for v in (0.75, 0.8, 0.75, 0.7, 0.75)]
    [False, True, True, False, False]
    """

    def __init__(self, *, low: float, high: float, initial: bool = False) -> None:
        if not (math.isfinite(low) and math.isfinite(high)):
            raise ValueError(f"low and high must be finite, got low={low!r} high={high!r}")
        if not low < high:
            raise ValueError(f"low must be below high, got low={low!r} high={high!r}")
        self.low, self.high, self.on = low, high, initial

    def update(self, value: float) -> bool:
        if value >= self.high:
            self.on = True
        elif value <= self.low:
            self.on = False
        return self.on


def hysteresis(
    *,
    low: float,
    high: float,
    initial: bool = False,
    value: Callable[[Any], float] = item_value,
    time: Callable[[Any], float] = item_time,
) -> Operator[Any, Stamped]:
    """Say at every item whether the series is in its upper state: entered at `high`, left at `low`.

    ::

        values:  --.75--.80--.75--.70--.75--|
                 hysteresis(low=.7, high=.8)
        state:   ---F----T----T----F----F---|

    An empty stream stays empty. NaN changes nothing: the state is repeated. Infinities count as very high or low.
    Times are handed on as they come, so equal or backward times need no rule here.

    Args:
        low: the state is left at or below this (units of the value).
        high: the state is entered at or above this.
        initial: the state before the first item.
        value: selects the number from an item.
        time: selects the event time from an item, seconds.

    Returns:
        An operator from items to `Stamped(time, bool)`, one for each item.

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
    SchmittTrigger(low=low, high=high)

    def make() -> Callable[[Any], Stamped]:
        trigger = SchmittTrigger(low=low, high=high, initial=initial)
        return lambda item: Stamped(time(item), trigger.update(value(item)))

    return lift(make)
