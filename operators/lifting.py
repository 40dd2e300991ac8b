"""Turns a plain stateful update into an operator that obeys the laws of RxPY."""

from collections.abc import Callable
from enum import Enum
from typing import Any, Final, Literal, TypeAlias, TypeVar, cast

import reactivex
from reactivex import Observable, abc

from .typing import EARLIEST, LATEST, Operator, Stamped, functions

A = TypeVar("A")
B = TypeVar("B")
V = TypeVar("V")
_Make: TypeAlias = Callable[[], Callable[[Any], Any]]

_stamp = cast("Callable[..., Stamped[Any]]", tuple.__new__)  # makes a Stamped in half the time of its own constructor


class _Nothing(Enum):
    NOTHING = "nothing"

    def __repr__(self) -> str:
        return "<NOTHING>"


NOTHING: Final = _Nothing.NOTHING
"""What an update returns when no item is to be emitted."""

Nothing: TypeAlias = Literal[_Nothing.NOTHING]


def connect(make_on_next: Callable[[abc.ObserverBase[B]], Callable[[A], None]]) -> Operator[A, B]:
    """An operator whose `on_next` is made afresh for each subscriber; errors and completion pass by."""

    def apply(source: Observable[A]) -> Observable[B]:
        def subscribe(observer: abc.ObserverBase[B], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
            on_next = make_on_next(observer)
            return source.subscribe(on_next, observer.on_error, observer.on_completed, scheduler=scheduler)

        return reactivex.create(subscribe)

    return apply


class Lifted(Observable[B]):
    """A source, and the update that its items pass: lifts in a row are one hop of Rx instead of a hop each."""

    def __init__(self, source: Observable[Any], make_update: _Make) -> None:
        super().__init__(self._hop)
        before = source if isinstance(source, Lifted) else None
        self.source: Observable[Any] = source if before is None else before.source
        self.make_update: _Make = make_update if before is None else _in_turn(before.make_update, make_update)

    def _hop(self, observer: abc.ObserverBase[B], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
        update, emit, nothing = self.make_update(), observer.on_next, NOTHING

        def on_next(item: Any) -> None:
            try:
                result = update(item)
            except Exception as error:  # noqa: BLE001 - a selector's failure belongs to the stream
                observer.on_error(error)
            else:
                if result is not nothing:
                    emit(result)

        return self.source.subscribe(on_next, observer.on_error, observer.on_completed, scheduler=scheduler)


def _in_turn(make_first: _Make, make_second: _Make) -> _Make:
    def make() -> Callable[[Any], Any]:
        first, second, nothing = make_first(), make_second(), NOTHING

        def update(item: Any) -> Any:
            between = first(item)
            return between if between is nothing else second(between)

        return update

    return make


def lift(make_update: Callable[[], Callable[[A], B | Nothing]]) -> Operator[A, B]:
    """An operator that passes each item through an update made afresh for each subscriber.

    An exception in the update becomes `on_error`, as in `reactivex.operators.map`.
    """

    return lambda source: Lifted(source, make_update)


def lift_series(
    make_update: Callable[[], Callable[[V, float], B | Nothing]],
    *,
    value: Callable[[A], V],
    time: Callable[[A], float],
) -> Operator[A, Stamped[B]]:
    """As `lift`, for `update(value, time)`; its results are stamped with the item's time.

    An item whose time is NaN, infinite or beyond ±1e15 is left out before it can reach the state.
    """
    functions(value=value, time=time)
    make_update()  # so that a bad parameter is refused at construction, not at subscription

    def make() -> Callable[[A], Stamped[B] | Nothing]:
        update = make_update()
        nothing, earliest, latest = NOTHING, EARLIEST, LATEST  # locals, looked up at every item

        def stamped(item: A) -> Stamped[B] | Nothing:
            at = time(item)
            if not earliest < at < latest:
                return nothing
            result = update(value(item), at if type(at) is float else float(at))
            return result if result is nothing else _stamp(Stamped, (at, result))

        return stamped

    return lift(make)
