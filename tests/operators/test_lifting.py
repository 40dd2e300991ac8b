"""Lifts in a row are one hop, and nobody can tell."""

from collections.abc import Callable

import pytest
import reactivex
from gearshift.operators.lifting import NOTHING, Nothing, lift
from reactivex import Subject
from reactivex import operators as ops


def halves() -> Callable[[int], int | Nothing]:
    return lambda item: NOTHING if item % 2 else item // 2


def counted() -> Callable[[int], tuple[int, int]]:
    seen = 0

    def update(item: int) -> tuple[int, int]:
        nonlocal seen
        seen += 1
        return seen, 6 // item

    return update


def test_what_the_first_leaves_out_never_reaches_the_second() -> None:
    assert reactivex.of(1, 2, 3, 4).pipe(lift(halves), lift(counted), ops.to_list()).run() == [(1, 6), (2, 3)]


def test_an_error_in_the_second_ends_the_stream_and_what_came_before_stands() -> None:
    seen: list[tuple[int, int]] = []
    errors: list[Exception] = []
    reactivex.of(2, 0, 2).pipe(lift(halves), lift(counted)).subscribe(seen.append, errors.append)
    assert seen == [(1, 6)] and [type(error) for error in errors] == [ZeroDivisionError]


def test_each_subscription_has_state_of_its_own_and_the_first_lift_can_be_subscribed_alone() -> None:
    source: Subject[int] = Subject()
    first = source.pipe(lift(halves))
    both = first.pipe(lift(counted))
    alone: list[int] = []
    one: list[tuple[int, int]] = []
    other: list[tuple[int, int]] = []
    first.subscribe(alone.append)
    both.subscribe(one.append)
    source.on_next(2)
    both.subscribe(other.append)
    source.on_next(4)
    assert (alone, one, other) == ([1, 2], [(1, 6), (2, 3)], [(1, 3)])


@pytest.mark.parametrize("ends", ["completes", "fails"])
def test_the_end_of_the_source_passes_through_both(ends: str) -> None:
    source: Subject[int] = Subject()
    told: list[str] = []
    source.pipe(lift(halves), lift(counted)).subscribe(
        on_error=lambda _: told.append("fails"), on_completed=lambda: told.append("completes")
    )
    source.on_completed() if ends == "completes" else source.on_error(ValueError())
    assert told == [ends]
