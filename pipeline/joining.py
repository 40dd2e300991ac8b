"""Joining streams in a fixed order, where `merge`, `share` and `zip` would leave it to trampolines."""

from collections.abc import Callable
from typing import Any

import reactivex
from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable

from ..operators.lifting import NOTHING, Lifted
from ..operators.serialize import Gate
from ..operators.typing import Operator


def join(leading: Observable[Any], *others: Observable[Any]) -> Observable[Any]:
    """All items, one at a time whatever their threads. The others are subscribed first; ends with `leading`."""

    def subscribe(observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
        one_by_one, on_next = Gate().pass_through, observer.on_next

        def push(item: Any) -> None:
            one_by_one(on_next, item)

        def fail(error: Exception) -> None:
            one_by_one(observer.on_error, error)

        wires = [other.subscribe(push, fail, scheduler=scheduler) for other in others]
        ended = leading.subscribe(push, fail, lambda: one_by_one(observer.on_completed), scheduler=scheduler)
        return CompositeDisposable(*wires, ended)

    return reactivex.create(subscribe)


def _as_it_is(item: Any) -> Any:
    return item


def beside(
    combine: Callable[..., Any],
    *branches: Operator[Any, Any],
    only: type,
    prepare: Callable[[Any], Any] = _as_it_is,
) -> Operator[Any, Any]:
    """Give each item of the type `only` to every branch in turn, then emit `combine(item, newest of each branch)`.

    A branch gives items with a `.value`; until the first one comes, `combine` gets None. NOTHING is not emitted. Items
    of other types pass by. `prepare` makes the items of what comes.
    """

    def apply(source: Observable[Any]) -> Observable[Any]:
        ahead = Lifted(source, lambda: prepare)

        def subscribe(
            observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            newest: list[Any] = [None] * len(branches)
            feeds: list[Callable[[Any], None]] = []
            wires = [_wire(branch, newest, place, feeds, observer) for place, branch in enumerate(branches)]
            update, emit, nothing = ahead.make_update(), observer.on_next, NOTHING

            def on_next(item: Any) -> None:
                try:
                    made = update(item)
                    if type(made) is only:
                        for feed in feeds:
                            feed(made)
                        made = combine(made, *newest)
                except Exception as error:  # noqa: BLE001 - as in every operator: a failure belongs to the stream
                    observer.on_error(error)
                else:
                    if made is not nothing:
                        emit(made)

            upstream = ahead.source.subscribe(on_next, observer.on_error, observer.on_completed, scheduler=scheduler)
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
    def feed(inner: abc.ObserverBase[Any], _: Any = None) -> abc.DisposableBase:
        feeds.append(inner.on_next)
        return CompositeDisposable()

    def keep(item: Any) -> None:
        newest[place] = item.value

    root = reactivex.create(feed)
    wired = branch(root)
    if not (isinstance(wired, Lifted) and wired.source is root):
        return wired.subscribe(keep, observer.on_error)
    update, nothing = wired.make_update(), NOTHING

    def follow(item: Any) -> None:
        result = update(item)
        if result is not nothing:
            newest[place] = result.value

    feeds.append(follow)
    return CompositeDisposable()
