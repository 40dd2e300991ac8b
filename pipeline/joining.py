"""Joining streams in a fixed order, where `merge`, `share` and `zip` would leave it to trampolines."""

from collections.abc import Callable
from typing import Any

import reactivex
from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable

from ..operators.lifting import NOTHING
from ..operators.serialize import serialize
from ..operators.typing import Operator


def join(leading: Observable[Any], *others: Observable[Any]) -> Observable[Any]:
    """All items, one at a time whatever their threads. The others are subscribed first; ends with `leading`."""

    def subscribe(observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
        wires = [other.subscribe(observer.on_next, observer.on_error, scheduler=scheduler) for other in others]
        return CompositeDisposable(*wires, leading.subscribe(observer, scheduler=scheduler))

    return reactivex.create(subscribe).pipe(serialize())


def beside(combine: Callable[..., Any], *branches: Operator[Any, Any], only: type) -> Operator[Any, Any]:
    """Give each item of the type `only` to every branch in turn, then emit `combine(item, newest of each branch)`.

    A branch gives items with a `.value`; until the first one comes, `combine` gets None. NOTHING is not emitted. Items
    of other types pass by.
    """

    def apply(source: Observable[Any]) -> Observable[Any]:
        def subscribe(
            observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            newest: list[Any] = [None] * len(branches)
            feeds: list[Callable[[Any], None]] = []
            wires = [_wire(branch, newest, place, feeds, observer) for place, branch in enumerate(branches)]
            emit = observer.on_next

            def on_next(item: Any) -> None:
                if type(item) is not only:
                    emit(item)
                    return
                for feed in feeds:
                    feed(item)
                try:
                    combined = combine(item, *newest)
                except Exception as error:  # noqa: BLE001 - as in every operator: a failure belongs to the stream
                    observer.on_error(error)
                else:
                    if combined is not NOTHING:
                        emit(combined)

            upstream = source.subscribe(on_next, observer.on_error, observer.on_completed, scheduler=scheduler)
            return CompositeDisposable(upstream, *wires)

        return reactivex.create(subscribe)

    return apply


def _wire(
    branch: Operator[Any, Any],
    newest: list[Any],
    place: int,
    feeds: list[Callable[[Any], None]],
    observer: abc.ObserverBase[Any],
) -> abc.DisposableBase:
    def keep(item: Any) -> None:
        newest[place] = item.value

    def feed(inner: abc.ObserverBase[Any], _: Any = None) -> abc.DisposableBase:
        feeds.append(inner.on_next)
        return CompositeDisposable()

    return reactivex.create(feed).pipe(branch).subscribe(keep, observer.on_error)
