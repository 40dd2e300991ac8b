"""Turns a plain stateful update into an operator that obeys the laws of RxPY."""

from collections.abc import Callable
from typing import Any, TypeVar

import reactivex
from reactivex import Observable, abc

from .typing import Operator

A = TypeVar("A")
B = TypeVar("B")


class Nothing:
    """What an update returns when no item is to be emitted."""


NOTHING = Nothing()


def lift(make_update: Callable[[], Callable[[Any], Any]]) -> Operator[Any, Any]:
    """An operator that passes each item through an update made afresh for each subscriber.

    An exception in the update becomes `on_error`, as in `reactivex.operators.map`.
    """

    def apply(source: Observable[Any]) -> Observable[Any]:
        def subscribe(
            observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            update = make_update()

            def on_next(item: Any) -> None:
                try:
                    result = update(item)
                except Exception as error:  # noqa: BLE001 - a selector's failure belongs to the stream
                    observer.on_error(error)
                    return
                if result is not NOTHING:
                    observer.on_next(result)

            return source.subscribe(on_next, observer.on_error, observer.on_completed, scheduler=scheduler)

        return reactivex.create(subscribe)

    return apply
