"""Branching and joining streams in a fixed order, where `merge` and `share` would leave it to trampolines."""

from collections.abc import Callable
from typing import Any

import reactivex
from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable

from ..operators.serialize import serialize


def fan_out(*branches: Callable[[Observable[Any]], Observable[Any]]) -> Callable[[Observable[Any]], Observable[Any]]:
    """Give each item to every branch in turn, in their order, and emit what they emit. Ends with the last branch."""

    def apply(source: Observable[Any]) -> Observable[Any]:
        def subscribe(
            observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            subject: reactivex.Subject[Any] = reactivex.Subject()
            open_branches = len(branches)

            def completed() -> None:
                nonlocal open_branches
                open_branches -= 1
                if open_branches == 0:
                    observer.on_completed()

            inner = [subject.pipe(b).subscribe(observer.on_next, observer.on_error, completed) for b in branches]
            return CompositeDisposable(source.subscribe(subject, scheduler=scheduler), *inner)

        return reactivex.create(subscribe)

    return apply


def join(leading: Observable[Any], *others: Observable[Any]) -> Observable[Any]:
    """All items, one at a time whatever their threads. The others are subscribed first; ends with `leading`."""

    def subscribe(observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
        wires = [other.subscribe(observer.on_next, observer.on_error, scheduler=scheduler) for other in others]
        return CompositeDisposable(*wires, leading.subscribe(observer, scheduler=scheduler))

    return reactivex.create(subscribe).pipe(serialize())
