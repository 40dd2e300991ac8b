"""The most cautious recommendation of a window, each way."""

from collections.abc import Callable
from math import inf
from typing import Any, Generic, TypeVar, overload

from .lifting import lift_series
from .rolling import RollingExtreme
from .typing import Operator, Ordered, Stamped, Valued, item_time, item_value, not_negative

__all__ = ["Stabilizer", "stabilize"]

A = TypeVar("A")
T = TypeVar("T", bound=Ordered)


class Stabilizer(Generic[T]):
    """The arithmetic of `stabilize`, without Rx.

    up, down: seconds that a rise, or a fall, must have been possible throughout, at least 0. initial: the output before
    the first item; by default the first value. Raises TypeError, ValueError.

    >>> stable = Stabilizer[int](up=300, down=0, initial=1)
    >>> [stable.update(v, t) for t, v in [(0, 1), (100, 2), (300, 2), (401, 2), (402, 0)]]
    [1, 1, 1, 2, 0]
    """

    __slots__ = ("_high", "_held", "_low", "_out", "_until")

    def __init__(self, *, up: float, down: float, initial: T | None = None) -> None:
        self._low = RollingExtreme[T](not_negative("up", up), largest=False)
        self._high = RollingExtreme[T](not_negative("down", down), largest=True)
        if initial != initial:
            raise ValueError(f"initial must be a value that has an order, got initial={initial!r}")
        self._out = initial
        self._held: T | None = None  # the newest value, which both windows have seen, and until when it was repeated
        self._until = -inf

    def update(self, value: T, time: float, current: T | None = None) -> T:
        """The next output. `current` is what is in force now, where that may differ from the last output.

        A value or `current` that differs from itself (NaN) has no order: it is left out. A time (seconds) before the
        newest one, NaN or infinite counts as the newest one.
        """
        if current is not None and current == current:
            self._out = current
        out = self._out
        if value == self._held and value == out:
            if time > self._until and time < inf:
                self._until = time
            return value
        if value == value:
            if self._held is not None:
                self._low.update(self._held, self._until)
                self._high.update(self._held, self._until)
            self._held, self._until = value, max(self._until, time if time < inf else self._until)
            low, high = self._low.update(value, time), self._high.update(value, time)
            if out is None:
                out = value
            elif out < low:
                out = low
            elif out > high:
                out = high
            self._out = out
        return value if out is None else out


@overload
def stabilize(
    *, up: float, down: float, initial: Any = ..., time: Callable[[Any], float] = ...
) -> Operator[Valued[T], Stamped[T]]: ...
@overload
def stabilize(
    *,
    up: float,
    down: float,
    initial: Any = ...,
    value: Callable[[A], T],
    time: Callable[[A], float] = ...,
) -> Operator[A, Stamped[T]]: ...
def stabilize(
    *,
    up: float,
    down: float,
    initial: Any = None,
    value: Callable[[Any], Any] = item_value,
    time: Callable[[Any], float] = item_time,
) -> Operator[Any, Stamped[Any]]:
    """Follow a recommendation upward only as far as all of the last `up` seconds allowed, downward as all of `down`.

    ::

        values:  --2--1--2--2--2--2--|
                 stabilize(up=3, down=0)     (one dash group = 1 s)
        out:     --2--1--1--1--1--2--|

    With u the smallest value of the last `up` seconds and d the largest of the last `down` seconds (the newest item
    is in both), the output moves up to u if it is below u, down to d if it is above d, and else stays. O(1) amortised.
    An empty stream stays empty. Both ends of a window belong to it. A time before the newest one counts as the newest;
    an item whose time is NaN, infinite or beyond ±1e15 is left out. NaN as a value repeats the output (before any
    other value it is passed on). Until the stream has run for `up` seconds, only what was seen can object.

    Args:
        up: seconds that a rise must have been possible throughout.
        down: seconds that a fall must have been asked for throughout.
        initial: the output before the first item; by default the first item's value.
        value: selects the recommendation, of any ordered type.
        time: selects the event time from an item, seconds.

    Returns:
        An operator from items to `Stamped(time, value)`, one for each item.

    Raises:
        TypeError, ValueError: at construction, naming the parameter.

    >>> import reactivex
    >>> from gearshift.operators import Stamped, stabilize
    >>> wish = reactivex.of(*[Stamped(t, v) for t, v in enumerate((2, 1, 2, 2, 2, 2))])
    >>> out = []
    >>> _ = wish.pipe(stabilize(up=3, down=0)).subscribe(lambda s: out.append(s.value))
    >>> out
    [2, 1, 1, 1, 1, 2]

    Source: `stabilizationWindowSeconds` of the Kubernetes horizontal pod autoscaler.
    """
    return lift_series(lambda: Stabilizer[Any](up=up, down=down, initial=initial).update, value=value, time=time)
