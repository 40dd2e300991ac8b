"""Tells when a source falls silent."""

from datetime import datetime
from typing import Any

import reactivex
from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, SerialDisposable
from reactivex.scheduler import TimeoutScheduler

from .serialize import Gate
from .typing import TICK, Operator, scheduler_or_none, wait

__all__ = ["Watchdog", "staleness"]


class Watchdog:
    """The arithmetic of `staleness`, without Rx. `stale` is None before the first item and the first silence.

    seconds: how long a silence must last. now: seconds on any clock, as long as it is the same one at every call.
    Raises TypeError, ValueError.

    >>> dog = Watchdog(seconds=10, now=0)
    >>> dog.feed(9), dog.feed(10), dog.left(12), dog.left(20), dog.stale, dog.feed(21), dog.stale
    (True, False, 8.0, 0.0, True, True, False)
    """

    __slots__ = ("_last", "seconds", "stale")

    def __init__(self, seconds: float, now: float) -> None:
        self.seconds = wait("seconds", seconds)
        self.stale: bool | None = None
        self._last = now

    def feed(self, now: float) -> bool:
        """An item has come. True where that changes `stale`."""
        self._last = now
        changed, self.stale = self.stale is not False, False
        return changed

    def left(self, now: float) -> float:
        """Seconds until the source counts as stale; 0 makes it so. A clock that was set back begins a new wait."""
        self._last = min(self._last, now)
        left = self._last + self.seconds - now
        if left > TICK:
            return left
        self.stale = True
        return 0.0


def staleness(seconds: float, *, scheduler: abc.SchedulerBase | None = None) -> Operator[Any, bool]:
    """Emit True when the source has been silent for `seconds`, and False when it speaks (again).

    ::

        items:  --a--b--c--------------d--|
                staleness(seconds=6)     (one dash = 1 s)
        stale:  --F-----------T--------F--|

    The one operator with a timer: silence is on the scheduler's clock and not on the items', whose times and values
    it never looks at. One timer is under way at a time, however many items come. Emits changes only: False with the
    first item, or True when none has come for `seconds` after subscribing. Completes when the source does; an empty
    source that completes at once emits nothing. A clock set forward may tell a silence that the next item ends; one
    that was set back begins a new wait.

    Args:
        seconds: how long a silence must last.
        scheduler: whose clock and timer to use; by default the one that is passed to `subscribe`, else RxPY's
            `TimeoutScheduler`, as in `reactivex.operators.timeout`.

    Returns:
        An operator from items of any kind to bools.

    Raises:
        TypeError, ValueError: at construction, naming the parameter.

    >>> from gearshift.operators import staleness
    >>> from reactivex import Subject
    >>> from reactivex.testing import TestScheduler
    >>> clock, sensor = TestScheduler(), Subject()
    >>> _ = sensor.pipe(staleness(5, scheduler=clock)).subscribe(print)
    >>> sensor.on_next(21.5)
    False
    >>> clock.advance_to(5)
    True

    Source: the watchdog timer; `timeout` in ReactiveX, which ends the stream instead.
    """
    Watchdog(seconds, 0.0)
    scheduler_or_none(scheduler)

    def apply(source: Observable[Any]) -> Observable[bool]:
        def subscribe(observer: abc.ObserverBase[bool], given: abc.SchedulerBase | None = None) -> abc.DisposableBase:
            on = scheduler or given or TimeoutScheduler.singleton()
            begun = on.now
            dog, gate, timer = Watchdog(seconds, 0.0), Gate(), SerialDisposable()

            def since(now: datetime) -> float:
                return (now - begun).total_seconds()

            def heard() -> None:
                if dog.feed(since(on.now)):
                    observer.on_next(False)
                    rest(dog.seconds)

            def check() -> None:
                left = dog.left(since(on.now))
                if left > 0:
                    rest(left)
                elif dog.stale:
                    observer.on_next(True)

            def rest(left: float) -> None:
                timer.disposable = on.schedule_relative(left, lambda _, __: gate.pass_through(check))

            rest(dog.seconds)
            upstream = source.subscribe(
                lambda _: gate.pass_through(heard),
                lambda error: gate.pass_through(lambda: observer.on_error(error)),
                lambda: gate.pass_through(observer.on_completed),
                scheduler=given,
            )
            return CompositeDisposable(timer, upstream)

        return reactivex.create(subscribe)

    return apply
