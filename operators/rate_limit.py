"""No more than so much change in so many seconds."""

from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar, overload

from .lifting import lift_series
from .typing import LEAST, LIMIT, Operator, Stamped, Valued, finite, item_time, item_value, positive

__all__ = ["RateLimiter", "rate_limit"]

A = TypeVar("A")


class RateLimiter:
    """The arithmetic of `rate_limit`, without Rx.

    changes: how far the output may be, each way, from where it was `per` seconds ago, in units of the value; both above
    0. initial: the output before the first item, in the same units; by default the first value. Raises TypeError,
    ValueError.

    >>> limiter = RateLimiter(changes=2, per=60)
    >>> [limiter.update(v, t) for t, v in [(0, 1), (10, 9), (20, 9), (69, 9), (70, 9), (75, 0)]]
    [1, 3, 3, 3, 5, 1]
    """

    __slots__ = ("_newest", "_outputs", "changes", "per")

    def __init__(self, changes: float, per: float, *, initial: float | None = None) -> None:
        positive("changes", changes)
        self.changes, self.per = _plain(changes), positive("per", per)
        self._newest = float("-inf")
        self._outputs: deque[tuple[float, float]] = deque()  # since when, what; the first was in force `per` ago
        if initial is not None:
            finite("initial", initial)
            self._outputs.append((self._newest, _plain(initial)))

    def update(self, value: float, time: float) -> float:
        """Take the next value and give the output, both in the same units.

        A time (seconds) before the newest one, NaN or infinite counts as the newest one.
        """
        if self._newest <= time < float("inf"):
            self._newest = time
        else:
            time = self._newest
        outputs = self._outputs
        if not LEAST < value < LIMIT:
            return outputs[-1][1] if outputs else value
        value = _plain(value)
        if not outputs:
            outputs.append((time, value))
            return value
        begun = time - self.per
        while len(outputs) > 1 and outputs[1][0] <= begun:
            outputs.popleft()
        start, current = outputs[0][1], outputs[-1][1]
        most, least = max(current, start + self.changes), min(current, start - self.changes)
        out = most if value > most else least if value < least else value
        if out != current:
            if len(outputs) > 1 and outputs[-1][0] == time:
                outputs.pop()
            outputs.append((time, out))
        return out


def _plain(number: float) -> float:
    """An int as it is, all else as a float: the narrow integers of numpy would wrap around."""
    return number if isinstance(number, int) else float(number)


@overload
def rate_limit(
    changes: float, per: float, *, initial: float | None = ..., time: Callable[[Any], float] = ...
) -> Operator[Valued[float], Stamped[float]]: ...
@overload
def rate_limit(
    changes: float,
    per: float,
    *,
    initial: float | None = ...,
    value: Callable[[A], float],
    time: Callable[[A], float] = ...,
) -> Operator[A, Stamped[float]]: ...
def rate_limit(
    changes: float,
    per: float,
    *,
    initial: float | None = None,
    value: Callable[[Any], float] = item_value,
    time: Callable[[Any], float] = item_time,
) -> Operator[Any, Stamped[float]]:
    """Follow a series of numbers, but move no further than `changes` from where the output was `per` seconds ago.

    ::

        values:  --1--4--4--4--0--0--|
                 rate_limit(changes=1, per=2)     (one dash group = 1 s)
        out:     --1--2--2--3--1--1--|

    The output `per` seconds ago is the one in force then: a change made exactly `per` seconds ago is already past.
    Where the way is barred both ways, the output stays. It moves only with an item. O(1) amortised; memory is
    bounded by the changes within `per`, at different times. An empty stream stays empty. A time before the newest one
    counts as the newest; an item whose time is NaN, infinite or beyond ±1e15 is left out. A value that is NaN, infinite
    or beyond ±1e38 repeats the output (before any other value it is passed on).

    Args:
        changes: how far the output may be, each way, from where it was `per` seconds ago (units of the value).
        per: how far to look back, seconds.
        initial: the output before the first item; by default the first item's value.
        value: selects the number from an item.
        time: selects the event time from an item, seconds.

    Returns:
        An operator from items to `Stamped(time, number)`, one for each item.

    Raises:
        TypeError, ValueError: at construction, naming the parameter.

    >>> import reactivex
    >>> from gearshift.operators import Stamped, rate_limit
    >>> replicas = reactivex.of(*[Stamped(t, v) for t, v in [(0, 1), (10, 9), (20, 9), (70, 9)]])
    >>> out = []
    >>> _ = replicas.pipe(rate_limit(2, per=60)).subscribe(lambda s: out.append(s.value))
    >>> out
    [1, 3, 3, 5]

    Source: scaling policies (`value`, `periodSeconds`) of the Kubernetes horizontal pod autoscaler.
    """
    return lift_series(lambda: RateLimiter(changes, per, initial=initial).update, value=value, time=time)
