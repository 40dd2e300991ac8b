"""A gap in time begins everything anew."""

import math
from collections.abc import Callable
from typing import Any, TypeVar

import reactivex
from reactivex import Observable, Subject, abc
from reactivex.disposable import CompositeDisposable, SerialDisposable

from .serialize import Gate
from .typing import Operator, functions, item_time, positive

__all__ = ["GapDetector", "reset_on_gap"]

A = TypeVar("A")
B = TypeVar("B")


class GapDetector:
    """The arithmetic of `reset_on_gap`, without Rx: True for the first time after a gap.

    seconds: the longest step that is still no gap, above 0. Raises TypeError, ValueError.

    >>> gap = GapDetector(10)
    >>> [gap.update(t) for t in (0, 5, 15, 26, 24, 3)]
    [False, False, False, True, False, True]
    """

    __slots__ = ("_newest", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = positive("seconds", seconds)
        self._newest: float | None = None

    def update(self, time: float) -> bool:
        """A gap is a step of `time` (seconds) of more than that, either way. NaN and infinite times are no steps."""
        if not math.isfinite(time):
            return False
        newest = self._newest
        if newest is None or time > newest:
            self._newest = time
            return newest is not None and time - newest > self.seconds
        if newest - time > self.seconds:
            self._newest = time
            return True
        return False


def reset_on_gap(
    seconds: float, operator: Operator[A, B], *, time: Callable[[A], float] | None = None
) -> Operator[A, B]:
    """Run the series through `operator`, and through a fresh one after each gap in its time.

    ::

        values:  --1--2--3-----------9--8--|
                 reset_on_gap(5, trend(window=60))     (one dash = 1 s)
        slopes:  --0--+--+-----------0-----|

    So a laptop that slept, or a clock that was set back, does not become a trend. The operator before the gap is
    completed, and what it emits then is passed on; its completion is not. Several operators go in by
    `reactivex.compose`. Completes when the source does, or when the operator completes of its own. An empty stream
    stays empty. Equal times and steps back of up to `seconds` are no gaps. An item whose time is NaN or infinite
    opens no gap and is handed to the operator. What is pushed from inside the handling of an item follows it.

    Args:
        seconds: the longest step between times, forward or backward, that is still no gap.
        operator: what to begin anew: any function from an Observable to an Observable.
        time: selects the event time from an item, seconds; by default its `.time`.

    Returns:
        An operator of the same types as `operator`.

    Raises:
        TypeError, ValueError: at construction, naming the parameter.

    >>> import reactivex
    >>> from gearshift.operators import Stamped, reset_on_gap, trend
    >>> naps = reactivex.of(*[Stamped(t, v) for t, v in [(0, 1), (1, 2), (100, 50), (101, 49)]])
    >>> _ = naps.pipe(reset_on_gap(10, trend(window=1000))).subscribe(lambda p: print(p.time, p.slope))
    0.0 0.0
    1.0 1.0
    100.0 0.0
    101.0 -1.0

    Source: session windows of stream processors (Akidau et al., "The dataflow model", 2015).
    """
    time_of: Callable[[Any], float] = item_time if time is None else time
    functions(operator=operator, time=time_of)
    GapDetector(seconds)

    def apply(source: Observable[A]) -> Observable[B]:
        def subscribe(observer: abc.ObserverBase[B], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
            is_gap, gate, inner = GapDetector(seconds).update, Gate(), SerialDisposable()
            feed, ended = Subject[A](), False

            def failed(error: Exception) -> None:
                nonlocal ended
                ended = True
                observer.on_error(error)

            def begin(session: Subject[A]) -> None:
                def completed() -> None:
                    if feed is session:  # else a gap ended it
                        observer.on_completed()

                try:
                    fresh = session.pipe(operator)
                except Exception as error:  # noqa: BLE001 - as everywhere: a failure belongs to the stream
                    failed(error)
                    return
                inner.disposable = fresh.subscribe(observer.on_next, failed, completed, scheduler=scheduler)

            def next_session() -> None:
                nonlocal feed
                before, feed = feed, Subject[A]()
                try:
                    before.on_completed()
                finally:
                    if not (ended or inner.is_disposed):
                        begin(feed)

            def take(item: A) -> None:
                try:
                    gap = is_gap(time_of(item))
                except Exception as error:  # noqa: BLE001 - a selector's failure belongs to the stream
                    failed(error)
                    return
                try:
                    if gap:
                        next_session()
                finally:
                    feed.on_next(item)

            begin(feed)
            upstream = source.subscribe(
                lambda item: gate.pass_through(lambda: take(item)),
                lambda error: gate.pass_through(lambda: feed.on_error(error)),
                lambda: gate.pass_through(lambda: feed.on_completed()),
                scheduler=scheduler,
            )
            return CompositeDisposable(inner, upstream)

        return reactivex.create(subscribe)

    return apply
