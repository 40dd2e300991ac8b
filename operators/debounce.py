"""A value counts once it has lasted."""

from collections.abc import Callable
from math import inf
from typing import Any, Generic, TypeVar, overload

from .lifting import NOTHING, Nothing, lift_series
from .typing import TICK, Operator, Stamped, Valued, item_time, item_value, not_negative

__all__ = ["Debouncer", "debounce"]

A = TypeVar("A")
T = TypeVar("T")


class Debouncer(Generic[T]):
    """The arithmetic of `debounce`, without Rx. `update(value, time)` gives the value that counts, or NOTHING yet.

    seconds: how long a value must have been there. rise, fall: instead, seconds for a value above the one that counts,
    and for any other. At least 0. Raises TypeError, ValueError.

    >>> settle = Debouncer[str](seconds=1)
    >>> [settle.update(v, t) for t, v in enumerate("aaba")]
    [<NOTHING>, 'a', 'a', 'a']
    """

    __slots__ = ("_candidate", "_newest", "_settled", "_since", "_wait", "fall", "rise")

    def __init__(self, seconds: float | None = None, *, rise: float | None = None, fall: float | None = None) -> None:
        if seconds is not None:
            if rise is not None or fall is not None:
                raise ValueError(f"give either seconds or rise and fall, got {seconds=} {rise=} {fall=}")
            rise = fall = not_negative("seconds", seconds)
        if rise is None or fall is None:
            raise TypeError(f"debounce needs seconds, or both rise and fall, got {rise=} {fall=}")
        self.rise, self.fall = not_negative("rise", rise), not_negative("fall", fall)
        self._settled: T | Nothing = NOTHING
        self._candidate: T | Nothing = NOTHING
        self._since = self._newest = -inf
        self._wait = 0.0

    def update(self, value: T, time: float) -> T | Nothing:
        """Take the next value; a time (seconds) before the newest one, NaN or infinite counts as the newest one."""
        if self._newest <= time < inf:
            self._newest = time
        else:
            time = self._newest
        candidate = self._candidate
        if value != candidate:
            if value != value:
                return self._settled
            self._candidate, self._since, self._wait = value, time, self._wait_for(value)
            candidate = value
        if self._settled is not candidate and time - self._since >= self._wait - TICK:
            self._settled = candidate
        return self._settled

    def _wait_for(self, value: Any) -> float:
        if self.rise == self.fall:
            return self.rise
        if self._settled is NOTHING:
            return max(self.rise, self.fall)
        return self.rise if value > self._settled else self.fall


@overload
def debounce(seconds: float, *, time: Callable[[Any], float] = ...) -> Operator[Valued[T], Stamped[T]]: ...
@overload
def debounce(*, rise: float, fall: float, time: Callable[[Any], float] = ...) -> Operator[Valued[T], Stamped[T]]: ...
@overload
def debounce(
    seconds: float, *, value: Callable[[A], T], time: Callable[[A], float] = ...
) -> Operator[A, Stamped[T]]: ...
@overload
def debounce(
    *, rise: float, fall: float, value: Callable[[A], T], time: Callable[[A], float] = ...
) -> Operator[A, Stamped[T]]: ...
def debounce(
    seconds: float | None = None,
    *,
    rise: float | None = None,
    fall: float | None = None,
    value: Callable[[Any], Any] = item_value,
    time: Callable[[Any], float] = item_time,
) -> Operator[Any, Stamped[Any]]:
    """Say at every item which value counts: the last one that has lasted `seconds` of event time.

    ::

        values:  --F--T--F--F--F--T--T--T--F--|
                 debounce(seconds=2)     (one dash group = 1 s)
        out:     --------------F--F--F--T--T--|

    Unlike `reactivex.operators.debounce`, it starts no timer and waits for no silence: time is the items' own, a
    value that is *repeated* lasts, and a replay gives what was seen live. (`reactivex.operators.debounce` emits an
    item when none has followed for so long on a scheduler's clock, so a steady stream of repetitions silences it.)
    Nothing is emitted until a first value has lasted. For changes only, let `distinct_until_changed` follow. An empty
    stream stays empty. A time before the newest one counts as the newest, so it can't shorten a wait; an item whose
    time is NaN, infinite or beyond ±1e15 is left out. NaN as a value neither lasts nor interrupts: what counts is
    repeated.

    Args:
        seconds: how long a value must have been there; 0 passes every change at once.
        rise: instead of `seconds`: the wait for a value above the one that counts, seconds.
        fall: instead of `seconds`: the wait for any other value, seconds. The first value waits the longer of the two.
        value: selects the value from an item; compared by `==`, and by `>` where rise and fall differ.
        time: selects the event time from an item, seconds.

    Returns:
        An operator from items to `Stamped(time, value)`, one for each item once a value has lasted.

    Raises:
        TypeError, ValueError: at construction, naming the parameter.

    >>> import reactivex
    >>> from gearshift.operators import Stamped, debounce
    >>> states = reactivex.of(*[Stamped(t, v) for t, v in enumerate("aabbba")])
    >>> _ = states.pipe(debounce(seconds=1)).subscribe(lambda s: print(s.time, s.value))
    1 a
    2 a
    3 b
    4 b
    5 b

    Source: contact debouncing as in switch inputs, on event time as in bytewax's `EventClock`.
    """

    return lift_series(lambda: Debouncer[Any](seconds, rise=rise, fall=fall).update, value=value, time=time)
