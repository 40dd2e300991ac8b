"""After a change, no other for a while."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

from .lifting import NOTHING, Nothing, lift_series
from .typing import TICK, Operator, Stamped, Valued, item_time, item_value, not_negative

__all__ = ["Cooldown", "cooldown"]

A = TypeVar("A")
T = TypeVar("T")


class Cooldown(Generic[T]):
    """The arithmetic of `cooldown`, without Rx.

    seconds: how long a change is held, at least 0. Raises TypeError, ValueError.

    >>> calm = Cooldown[int](3)
    >>> [calm.update(v, t) for t, v in enumerate((1, 2, 3, 3, 3))]
    [1, 2, 2, 2, 3]
    """

    __slots__ = ("_held", "_newest", "_until", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = not_negative("seconds", seconds)
        self._held: T | Nothing = NOTHING
        self._newest = self._until = float("-inf")

    def update(self, value: T, time: float) -> T:
        """The output at `value`; a time (seconds) before the newest one, NaN or infinite counts as the newest one."""
        if self._newest <= time < float("inf"):
            self._newest = time
        else:
            time = self._newest
        if self._held is NOTHING:
            self._held = value
        elif time >= self._until - TICK and value != self._held and value == value:
            self._held, self._until = value, time + self.seconds
        return self._held


@overload
def cooldown(seconds: float, *, time: Callable[[Any], float] = ...) -> Operator[Valued[T], Stamped[T]]: ...
@overload
def cooldown(
    seconds: float, *, value: Callable[[A], T], time: Callable[[A], float] = ...
) -> Operator[A, Stamped[T]]: ...
def cooldown(
    seconds: float, *, value: Callable[[Any], Any] = item_value, time: Callable[[Any], float] = item_time
) -> Operator[Any, Stamped[Any]]:
    """Follow a series, but after each change hold the value for `seconds` of event time.

    ::

        values:  --1--2--3--3--3--1--|
                 cooldown(seconds=3)     (one dash group = 1 s)
        out:     --1--2--2--2--3--3--|

    When the wait is over, the next item brings whatever holds then; what came and went meanwhile is never seen.
    The first value is no change and starts no wait. An empty stream stays empty. A time before the newest one counts
    as the newest; an item whose time is NaN, infinite or beyond ±1e15 is left out. NaN as a value is no change: the
    output is repeated (as the first value it is passed on, and the next value is a change).

    Args:
        seconds: how long a change is held, seconds; 0 passes everything.
        value: selects the value from an item; compared by `==`.
        time: selects the event time from an item, seconds.

    Returns:
        An operator from items to `Stamped(time, value)`, one for each item.

    Raises:
        TypeError, ValueError: at construction, naming the parameter.

    >>> import reactivex
    >>> from gearshift.operators import Stamped, cooldown
    >>> rungs = reactivex.of(*[Stamped(t, v) for t, v in enumerate((1, 2, 3, 3, 3))])
    >>> out = []
    >>> _ = rungs.pipe(cooldown(3)).subscribe(lambda s: out.append(s.value))
    >>> out
    [1, 2, 2, 2, 3]

    Source: the cooldown period of autoscalers (AWS "simple scaling").
    """
    return lift_series(lambda: Cooldown[Any](seconds).update, value=value, time=time)
