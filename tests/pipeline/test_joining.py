from collections.abc import Callable
from typing import Any

import pytest
import reactivex
from gearshift.operators import Stamped
from gearshift.operators.lifting import NOTHING
from gearshift.pipeline.joining import beside, join
from reactivex import Observable, Subject
from reactivex import operators as ops
from reactivex.testing import ReactiveTest, TestScheduler

next_, completed, failed = ReactiveTest.on_next, ReactiveTest.on_completed, ReactiveTest.on_error


def test_items_of_all_come_in_the_order_of_their_arrival_until_the_leading_one_ends() -> None:
    scheduler = TestScheduler()
    leading = scheduler.create_hot_observable(next_(210, "a"), next_(230, "b"), completed(250))
    other = scheduler.create_hot_observable(next_(220, 1), completed(225), next_(240, 2))
    third = scheduler.create_hot_observable(next_(235, "x"), next_(260, "y"))
    result = scheduler.start(lambda: join(leading, other, third))
    assert result.messages == [
        next_(210, "a"), next_(220, 1), next_(230, "b"), next_(235, "x"), completed(250),
    ]  # fmt: skip
    assert [(s.subscribe, s.unsubscribe) for s in (*leading.subscriptions, *third.subscriptions)] == [(200, 250)] * 2


def test_the_others_are_subscribed_first_so_that_what_they_hold_already_counts() -> None:
    got: list[Any] = []
    join(reactivex.of("sample"), reactivex.of("loaded"), reactivex.of("asked")).subscribe(got.append)
    assert got == ["loaded", "asked", "sample"]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_error_of_any_ends_it_and_lets_go_of_all(place: int) -> None:
    streams, errors = [Subject[int]() for _ in range(3)], list[Exception]()
    join(*streams).subscribe(on_error=errors.append)
    streams[place].on_error(OSError("gone"))
    assert [str(error) for error in errors] == ["gone"]
    assert not any(stream.observers for stream in streams)


def test_disposal_lets_go_of_all() -> None:
    streams = [Subject[int]() for _ in range(3)]
    join(*streams).subscribe().dispose()
    assert not any(stream.observers for stream in streams)


def test_what_is_pushed_from_inside_an_item_follows_it() -> None:
    leading, other, got = Subject[str](), Subject[str](), list[str]()

    def take(item: str) -> None:
        if item == "sample":
            other.on_next("shifting")
        got.append(item)

    join(leading, other).subscribe(take)
    leading.on_next("sample")
    assert got == ["sample", "shifting"]


def named(name: str, calls: list[str]) -> Callable[[Observable[int]], Observable[Stamped[int]]]:
    """A branch that writes down when it is fed, and gives ten times what it gets."""

    def make(item: int) -> Stamped[int]:
        calls.append(f"{name}{item}")
        return Stamped(0.0, 10 * item)

    return lambda source: source.pipe(ops.map(make))


def test_branches_are_fed_in_turn_and_then_combined() -> None:
    calls: list[str] = []

    def combine(item: int, *newest: int) -> tuple[int, ...]:
        calls.append("combined")
        return item, *newest

    got: list[Any] = []
    reactivex.of(1, 2).pipe(beside(combine, named("a", calls), named("b", calls), only=int)).subscribe(got.append)
    assert got == [(1, 10, 10), (2, 20, 20)]
    assert calls == ["a1", "b1", "combined", "a2", "b2", "combined"]


def test_a_branch_that_is_silent_keeps_its_newest_value_and_none_before() -> None:
    even: Any = lambda source: source.pipe(  # noqa: E731
        ops.filter(lambda i: i % 2 == 0), ops.map(lambda i: Stamped(0.0, i))
    )
    got: list[Any] = []
    reactivex.of(1, 2, 3).pipe(beside(lambda i, newest: (i, newest), even, only=int)).subscribe(got.append)
    assert got == [(1, None), (2, 2), (3, 2)]


def test_other_types_pass_by_even_derived_ones_and_nothing_is_not_emitted() -> None:
    calls, got = list[str](), list[Any]()
    items = reactivex.of(1, "told", True, 2)
    odd = beside(lambda i, _: i if i % 2 else NOTHING, named("a", calls), only=int)
    items.pipe(odd).subscribe(got.append)
    assert (got, calls) == ([1, "told", True], ["a1", "a2"])


def test_a_failure_of_combine_or_of_a_branch_is_an_error_of_the_stream() -> None:
    def broken(*_: Any) -> Any:
        raise ValueError("broken")

    for operator in (
        beside(broken, only=int),
        beside(lambda i, _: i, lambda source: source.pipe(ops.map(broken)), only=int),
    ):
        source, errors, got = Subject[int](), list[Exception](), list[int]()
        source.pipe(operator).subscribe(got.append, errors.append)
        source.on_next(1)
        assert ([str(error) for error in errors], got, source.observers) == (["broken"], [], [])


def test_completion_errors_and_disposal_pass() -> None:
    ended: list[str] = []
    source = Subject[int]()
    source.pipe(beside(lambda i: i, only=int)).subscribe(on_completed=lambda: ended.append("completed"))
    source.on_completed()
    reactivex.throw(OSError("gone")).pipe(beside(lambda i: i, only=int)).subscribe(
        on_error=lambda error: ended.append(str(error))
    )
    assert ended == ["completed", "gone"]
    disposed: list[str] = []
    source = Subject[int]()
    branch: Any = lambda inner: inner.pipe(ops.finally_action(lambda: disposed.append("branch")))  # noqa: E731
    source.pipe(beside(lambda i, _: i, branch, only=int)).subscribe().dispose()
    assert (source.observers, disposed) == ([], ["branch"])


def test_each_subscription_has_branches_of_its_own() -> None:
    calls = list[str]()
    stream = reactivex.of(1).pipe(beside(lambda i, newest: (i, newest), named("a", calls), only=int))
    got: list[Any] = []
    stream.subscribe(got.append)
    stream.subscribe(got.append)
    assert (got, calls) == ([(1, 10), (1, 10)], ["a1", "a1"])
