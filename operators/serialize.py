"""One at a time, whichever thread they come from."""

from collections import deque
from collections.abc import Callable
from threading import RLock
from typing import Any, TypeVar

import reactivex
from reactivex import Observable, abc

from .typing import Operator

__all__ = ["Gate", "serialize"]

A = TypeVar("A")


class Gate:
    """The lock behind `serialize`, without Rx: `pass_through(call)` runs calls one at a time.

    A call from another thread waits for its turn; one made from inside a call runs after it, in order.

    >>> gate, order = Gate(), []
    >>> def outer():
    ...     gate.pass_through(lambda: order.append("inner"))
    ...     order.append("outer")
    >>> gate.pass_through(outer)
    >>> order
    ['outer', 'inner']
    """

    __slots__ = ("_busy", "_lock", "_waiting")

    def __init__(self) -> None:
        self._lock = RLock()
        self._waiting: deque[Callable[[], None]] = deque()
        self._busy = False

    def pass_through(self, call: Callable[..., None], *given: Any) -> None:
        """`call(*given)`, when its turn has come."""
        with self._lock:
            if self._busy:
                self._waiting.append(lambda: call(*given))
                return
            self._busy = True
            try:
                if self._waiting:  # left over where a call raised
                    self._waiting.append(lambda: call(*given))
                else:
                    call(*given)
                while self._waiting:
                    self._waiting.popleft()()
            finally:
                self._busy = False


def serialize() -> Operator[A, A]:
    """Hand on one item at a time, whichever threads push them: what RxPY asks of every source.

    ::

        thread 1:  --a-----c-----|
        thread 2:  --b--------d---
                   serialize()
        out:       --a-b---c--d--|

    A push from a second thread waits until the first has been handled by everyone below (a slow consumer holds up
    its producers; see `conflate`). A push from inside the handling of another follows it, in order. Nothing is
    dropped or changed; items need no time. Errors and completion pass the same gate, and nothing follows them.

    Returns:
        An operator from items to the same items.

    >>> import reactivex
    >>> from gearshift.operators import serialize
    >>> pushes = reactivex.Subject()
    >>> _ = pushes.pipe(serialize()).subscribe(print)
    >>> pushes.on_next("from any thread")
    from any thread

    Source: `serialize` in RxJava, `Observer.Synchronize` in Rx.NET.
    """

    def apply(source: Observable[A]) -> Observable[A]:
        def subscribe(observer: abc.ObserverBase[A], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
            pass_through, on_next = Gate().pass_through, observer.on_next

            return source.subscribe(
                lambda item: pass_through(on_next, item),
                lambda error: pass_through(observer.on_error, error),
                lambda: pass_through(observer.on_completed),
                scheduler=scheduler,
            )

        return reactivex.create(subscribe)

    return apply
