"""A value counts once it has lasted."""

from collections.abc import Callable
from typing import Any

from .lifting import NOTHING, lift
from .typing import Operator, Stamped, item_time, item_value, not_negative

_NONE = object()


class Debouncer:
    """The arithmetic of `debounce`, without Rx. `update(time, value)` is True when the value has just settled.

    >>> settle = Debouncer(seconds=2)
    >>> [settle.update(t, v) for t, v in [(0, "a"), (1, "b"), (2, "b"), (3, "b"), (4, "b")]]
    [False, False, False, True, False]
    """

    def __init__(self, *, seconds: float) -> None:
        self.seconds = not_negative("seconds", seconds)
        self._settled: Any = _NONE
        self._candidate: Any = _NONE
        self._since = self._newest = float("-inf")

    def update(self, time: float, value: Any) -> bool:
        self._newest = time = max(time, self._newest)
        if self._candidate is _NONE or value != self._candidate:
            self._candidate, self._since = value, time
        if (self._settled is not _NONE and value == self._settled) or time - self._since < self.seconds:
            return False
        self._settled = value
        return True


def debounce(
    *, seconds: float, value: Callable[[Any], Any] = item_value, time: Callable[[Any], float] = item_time
) -> Operator[Any, Stamped]:
    """Emit a value when it has lasted `seconds` of event time, and only when it differs from the last one emitted.

    ::

        values:  --F--T--F--T--T--T--T--|
                 debounce(seconds=2)
        out:     -----------------T-----|     (one dash group = 1 s)

    Unlike `reactivex.operators.debounce`, it starts no timer: time is the items' own, a value that is *repeated*
    lasts, and a replay gives what was seen live. It emits with the item that completes the wait. An empty stream
    stays empty; what has not lasted when the stream completes is dropped. A time before the newest one counts as
    the newest, so it can't shorten a wait. NaN differs from itself and so never lasts.

    Args:
        seconds: how long a value must have been there; 0 passes every change at once.
        value: selects the value from an item; compared by `==`.
        time: selects the event time from an item, seconds.

    Returns:
        An operator from items to `Stamped(time, value)`.

    >>> import reactivex
    >>> from gearshift.operators import Stamped, debounce
    >>> states = reactivex.of(*[Stamped(t, v) for t, v in enumerate("aabbba")])
    >>> _ = states.pipe(debounce(seconds=1)).subscribe(lambda s: print(s.time, s.value))
    1 a
    3 b

    Source: contact debouncing as in switch inputs, on event time as in bytewax's `EventClock`.
    """
    Debouncer(seconds=seconds)

    def make() -> Callable[[Any], Any]:
        state = Debouncer(seconds=seconds)

        def update(item: Any) -> Any:
            at, held = time(item), value(item)
            return Stamped(at, held) if state.update(at, held) else NOTHING

        return update

    return lift(make)
