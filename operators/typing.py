"""Types and checks that all operators share."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias, TypeVar

from reactivex import Observable

A = TypeVar("A")
B = TypeVar("B")

Operator: TypeAlias = Callable[[Observable[A]], Observable[B]]


class Stamped(NamedTuple):
    """A value and the moment it belongs to, in seconds on the clock of the stream.

    >>> Stamped(1.5, "full")
    Stamped(time=1.5, value='full')
    """

    time: float
    value: Any


def item_time(item: Any) -> float:
    """The default `time=` selector: the item's own `.time`."""
    return item.time


def item_value(item: Any) -> Any:
    """The default `value=` selector: the item's own `.value`."""
    return item.value


def positive(name: str, value: float) -> float:
    """Return `value` if it is finite and above 0; else raise ValueError naming the parameter."""
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be a finite number above 0, got {name}={value!r}")
    return value


def not_negative(name: str, value: float) -> float:
    """Return `value` if it is finite and at least 0; else raise ValueError naming the parameter."""
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{name} must be a finite number of at least 0, got {name}={value!r}")
    return value
