"""Types and checks that all operators share."""

import math
from collections.abc import Callable
from numbers import Integral, Real
from operator import attrgetter
from threading import TIMEOUT_MAX
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from reactivex import Observable, abc

A = TypeVar("A")
B = TypeVar("B")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Operator: TypeAlias = Callable[[Observable[A]], Observable[B]]
"""What `pipe` takes: from a stream of one kind of items to a stream of another."""

LIMIT = 1e38
LEAST = -LIMIT
"""Numbers beyond these are left out: a float32 holds no more, and their squares must not overflow."""

LATEST = 1e15
EARLIEST = -LATEST
"""Times beyond these, in seconds, are left out."""

SAME_TIME = 1e-9
"""Times closer than this, in seconds, are equal times: no slope is taken between them."""

TICK = 1e-6
"""Clocks round: what comes no more than this many seconds early is in time."""


class Valued(Protocol[T_co]):
    """What the default `value=` selector asks of an item: a `.value`. (The default `time=` asks for a `.time`.)"""

    @property
    def value(self) -> T_co:
        """What an operator looks at."""
        ...


class Ordered(Protocol):
    """A type that `<` and `>` compare."""

    def __lt__(self, other: Any, /) -> bool: ...
    def __gt__(self, other: Any, /) -> bool: ...


class Stamped(NamedTuple, Generic[T]):
    """A `value`, and the `time` that it belongs to, in seconds on the clock of the stream.

    >>> Stamped(1.5, "full")
    Stamped(time=1.5, value='full')
    """

    time: float
    value: T


item_time: Callable[[Any], float] = attrgetter("time")
"""The default `time=` selector: the item's own `.time`."""

item_value: Callable[[Any], Any] = attrgetter("value")
"""The default `value=` selector: the item's own `.value`."""


def finite(name: str, value: float) -> float:
    """`value` as a float if it is a finite number; else raise TypeError or ValueError naming the parameter."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {name}={value!r}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{name} must be a finite number, got {name}={value!r}")
    return number


def positive(name: str, value: float) -> float:
    """`value` as a float if it is finite and above 0; else raise TypeError or ValueError naming the parameter."""
    number = finite(name, value)
    if not number > 0:
        raise ValueError(f"{name} must be a finite number above 0, got {name}={value!r}")
    return number


def not_negative(name: str, value: float) -> float:
    """`value` as a float if it is finite and at least 0; else raise TypeError or ValueError naming the parameter."""
    number = finite(name, value)
    if not number >= 0:
        raise ValueError(f"{name} must be a finite number of at least 0, got {name}={value!r}")
    return number


def fraction(name: str, value: float) -> float:
    """`value` as a float if it lies between 0 and 1, both excluded; else raise TypeError or ValueError."""
    number = finite(name, value)
    if not 0 < number < 1:
        raise ValueError(f"{name} must be a fraction above 0 and below 1, got {name}={value!r}")
    return number


def wait(name: str, value: float) -> float:
    """`value` as a float if it is above 0 and no longer than a timer can take; else raise TypeError or ValueError."""
    number = positive(name, value)
    if number > TIMEOUT_MAX:
        raise ValueError(f"{name} must be at most {TIMEOUT_MAX:.0f} seconds, got {name}={value!r}")
    return number


def whole(name: str, value: int, *, least: int) -> int:
    """Return `value` if it is a whole number of at least `least`; else raise TypeError or ValueError."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be a whole number, got {name}={value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {name}={value!r}")
    return int(value)


def functions(**named: Any) -> None:
    """Raise TypeError naming the first argument that can't be called."""
    for name, function in named.items():
        if not callable(function):
            raise TypeError(f"{name} must be a function, got {name}={function!r}")


def scheduler_or_none(scheduler: Any) -> None:
    """Raise TypeError unless it is one."""
    if not (scheduler is None or isinstance(scheduler, abc.SchedulerBase)):
        raise TypeError(f"scheduler must be a scheduler of reactivex or None, got scheduler={scheduler!r}")
