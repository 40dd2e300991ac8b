"""The most cautious recommendation of a window, each way."""

from collections.abc import Callable
from typing import Any

from .lifting import lift
from .rolling import RollingExtreme
from .typing import Operator, Stamped, item_time, item_value, not_negative

_NONE = object()


class Stabilizer:
    """The arithmetic of `stabilize`, without Rx.

    >>> stable = Stabilizer(up=300, down=0, initial=1)
    >>> [stable.update(t, v) for t, v in [(0, 1), (100, 2), (300, 2), (401, 2), (402, 0)]]
    [1, 1, 1, 2, 0]
    """

    def __init__(self, *, up: float, down: float, initial: Any = None) -> None:
        self._low = RollingExtreme(not_negative("up", up), largest=False)
        self._high = RollingExtreme(not_negative("down", down), largest=True)
        self._out: Any = _NONE if initial is None else initial

    def update(self, time: float, value: Any) -> Any:
        low, high = self._low.update(time, value), self._high.update(time, value)
        if self._out is _NONE:
            self._out = value
        elif self._out < low:
            self._out = low
        elif self._out > high:
            self._out = high
        return self._out


def stabilize(
    *,
    up: float,
    down: float,
    initial: Any = None,
    value: Callable[[Any], Any] = item_value,
    time: Callable[[Any], float] = item_time,
) -> Operator[Any, Stamped]:
    """Follow a recommendation upward only as far as all of the last `up` seconds allowed, downward as all of `down`.

    ::

        values:  --2--1--2--2--2--2--|
                 stabilize(up=3, down=0)     (one dash group = 1 s)
        out:     --2--1--1--1--1--2--|

    With u the smallest value of the last `up` seconds and d the largest of the last `down` seconds (the newest item
    is in both), the output moves up to u if it is below u, down to d if it is above d, and else stays.
    An empty stream stays empty. Both ends of a window belong to it. A time before the newest one counts as the newest.
    NaN is not ordered: keep it out. Until the stream has run for `up` seconds, only what was seen can object.

    Args:
        up: seconds that a rise must have been possible throughout.
        down: seconds that a fall must have been asked for throughout.
        initial: the output before the first item; by default the first item's value.
        value: selects the recommendation, of any ordered type.
        time: selects the event time from an item, seconds.

    Returns:
        An operator from items to `Stamped(time, value)`, one for each item.

    >>> import reactivex
    >>> from gearshift.operators import Stamped, stabilize
    >>> wish = reactivex.of(*[Stamped(t, v) for t, v in enumerate((2, 1, 2, 2, 2, 2))])
    >>> out = []
    >>> _ = wish.pipe(stabilize(up=3, down=0)).subscribe(lambda s: out.append(s.value))
    >>> out
    [2, 1, 1, 1, 1, 2]

    Source: `stabilizationWindowSeconds` of the Kubernetes horizontal pod autoscaler.
    """
    Stabilizer(up=up, down=down)

    def make() -> Callable[[Any], Stamped]:
        state = Stabilizer(up=up, down=down, initial=initial)
        return lambda item: Stamped(time(item), state.update(time(item), value(item)))

    return lift(make)
