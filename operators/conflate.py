"""The latest item for a consumer that can't take them all."""

from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Any, Generic, TypeVar

import reactivex
from reactivex import Observable, abc

from .lifting import NOTHING, Nothing
from .typing import Operator, scheduler_or_none

__all__ = ["LatestSlot", "conflate"]

A = TypeVar("A")
T = TypeVar("T")


class LatestSlot(Generic[T]):
    """The hand-off behind `conflate`, without Rx: one slot, which a newer item overwrites. Thread-safe.

    Who gets True from `put` or `close` sends the consumer, which takes one item and then asks whether it is done.

    >>> slot = LatestSlot[str]()
    >>> slot.put("a"), slot.put("b"), slot.take(), slot.put("c"), slot.done(), slot.take(), slot.done()
    (True, False, 'b', False, False, 'c', True)
    """

    __slots__ = ("_busy", "_items", "closed")

    def __init__(self) -> None:
        self.closed = False
        self._items: deque[T] = deque(maxlen=1)
        self._busy = Lock()  # held while a consumer is on its way

    def put(self, item: T) -> bool:
        """Overwrite the slot. True where a consumer has to be sent, as none is on its way."""
        self._items.append(item)
        return self._busy.acquire(blocking=False)

    def close(self) -> bool:
        """Nothing more will be put. True where a consumer has to be sent."""
        self.closed = True
        return self._busy.acquire(blocking=False)

    def take(self) -> T | Nothing:
        """Empty the slot; NOTHING from an empty one."""
        return self._items.popleft() if self._items else NOTHING

    def done(self) -> bool:
        """Leave, unless something has come meanwhile. False where the consumer has to take again."""
        self._busy.release()
        return not ((self._items or self.closed) and self._busy.acquire(blocking=False))


def conflate(scheduler: abc.SchedulerBase | None = None) -> Operator[A, A]:
    """Hand the latest item over to a consumer on `scheduler`; while it is busy, newer items replace older ones.

    ::

        items:  --a-b-c-d-------e--|
                conflate(scheduler)     (handling one takes five dashes)
        out:    --a----c----d----e----|

    The producer never waits and memory is one item, whatever the consumer's speed: for desired states, where only
    the latest one matters. The last item before completion or an error is always delivered, and then the
    completion or error. Items need no time. An empty stream stays empty.

    Args:
        scheduler: where the consumer runs, such as an `EventLoopScheduler`; by default the one that is passed to
            `subscribe`. An exception in the consumer ends the thread of some schedulers: let it raise none.

    Returns:
        An operator from items to some of them, always including the last.

    Raises:
        TypeError: at construction, when `scheduler` is something else.
        ValueError: by `on_error` at subscription, when neither gave a scheduler.

    >>> import reactivex
    >>> from gearshift.operators import conflate
    >>> from reactivex.scheduler import ImmediateScheduler
    >>> _ = reactivex.of(1, 2, 3).pipe(conflate(ImmediateScheduler())).subscribe(print)
    1
    2
    3

    Source: `conflate` in Akka Streams, `onBackpressureLatest` in RxJava and Reactor.
    """

    scheduler_or_none(scheduler)

    def apply(source: Observable[A]) -> Observable[A]:
        def subscribe(observer: abc.ObserverBase[A], given: abc.SchedulerBase | None = None) -> abc.DisposableBase:
            consumer = scheduler or given
            if consumer is None:
                raise ValueError(
                    "conflate needs a scheduler for its consumer, got scheduler=None: pass one to it or to subscribe"
                )
            slot = LatestSlot[A]()
            ending: list[Callable[[], None]] = []

            def consume(at: abc.SchedulerBase, _: Any = None) -> None:
                closed = slot.closed  # asked before the slot is: an empty one is then empty for good
                item = slot.take()
                if closed and item is NOTHING:
                    ending[0]()
                    return
                try:
                    if item is not NOTHING:
                        observer.on_next(item)
                finally:
                    if not slot.done():
                        at.schedule(consume)  # in turn with whatever else runs there

            def on_next(item: A) -> None:
                if slot.put(item):
                    consumer.schedule(consume)

            def end(call: Callable[[], None]) -> None:
                ending.append(call)
                if slot.close():
                    consumer.schedule(consume)

            return source.subscribe(
                on_next,
                lambda error: end(lambda: observer.on_error(error)),
                lambda: end(observer.on_completed),
                scheduler=given,
            )

        return reactivex.create(subscribe)

    return apply
