"""Every law over every operator."""

from collections.abc import Callable
from typing import Any

import pytest
import reactivex
from gearshift import operators as gs
from gearshift.operators import Stamped
from reactivex import Subject
from reactivex.scheduler import CurrentThreadScheduler
from reactivex.testing import TestScheduler

from tests.marbles import START, hot, run

OPERATORS: dict[str, Callable[[], Any]] = {
    "trend": lambda: gs.trend(window=5),
    "hysteresis": lambda: gs.hysteresis(low=1, high=3),
    "debounce": lambda: gs.debounce(seconds=1),
    "stabilize": lambda: gs.stabilize(up=3, down=1),
}
ITEMS = [Stamped(float(t), v) for t, v in enumerate((0, 4, 4, 4, 2, 1, 1, 5, 5, 5, 5, 5))]

every = pytest.mark.parametrize("make", OPERATORS.values(), ids=OPERATORS.keys())


def test_every_public_operator_is_under_the_laws() -> None:
    functions = {name for name in gs.__all__ if name.islower()}
    assert functions == set(OPERATORS)


@every
def test_is_cold_and_subscribes_once_per_subscriber(make: Callable[[], Any]) -> None:
    subscriptions = 0

    def factory(_: Any) -> Any:
        nonlocal subscriptions
        subscriptions += 1
        return reactivex.from_iterable(ITEMS)

    stream = reactivex.defer(factory).pipe(make())
    assert subscriptions == 0
    stream.subscribe()
    stream.subscribe()
    assert subscriptions == 2


@every
def test_a_second_subscriber_sees_what_the_first_saw(make: Callable[[], Any]) -> None:
    stream = reactivex.from_iterable(ITEMS).pipe(make())
    first: list[Any] = []
    second: list[Any] = []
    stream.subscribe(first.append)
    stream.subscribe(second.append)
    assert first == second != []


@every
def test_the_same_operator_object_serves_two_sources_apart(make: Callable[[], Any]) -> None:
    operator = make()
    left, right = Subject[Any](), Subject[Any]()
    seen_left: list[Any] = []
    seen_right: list[Any] = []
    left.pipe(operator).subscribe(seen_left.append)
    right.pipe(operator).subscribe(seen_right.append)
    for item in ITEMS:
        left.on_next(item)
        right.on_next(item)
    assert seen_left == seen_right == run(make(), ITEMS)


@every
def test_disposes_its_source(make: Callable[[], Any]) -> None:
    scheduler = TestScheduler()
    source = hot(scheduler, ITEMS)
    scheduler.start(lambda: source.pipe(make()), disposed=START + 4)
    assert [(s.subscribe, s.unsubscribe) for s in source.subscriptions] == [(START, START + 4)]


@every
def test_forwards_an_error_after_the_items_before_it(make: Callable[[], Any]) -> None:
    scheduler = TestScheduler()
    error = OSError("sensor gone")
    source = hot(scheduler, ITEMS, error=error)
    messages = scheduler.start(lambda: source.pipe(make())).messages
    assert [m.value.value for m in messages[:-1]] == run(make(), ITEMS)
    assert messages[-1].value.kind == "E" and messages[-1].value.exception is error


@every
def test_completes_when_the_source_does_and_an_empty_one_stays_empty(make: Callable[[], Any]) -> None:
    assert run(make(), []) == []


@every
def test_forwards_the_scheduler(make: Callable[[], Any]) -> None:
    seen: list[Any] = []
    given = CurrentThreadScheduler()

    def subscribe(_: Any, scheduler: Any = None) -> Any:
        seen.append(scheduler)
        return reactivex.disposable.Disposable()

    reactivex.create(subscribe).pipe(make()).subscribe(scheduler=given)
    assert seen == [given]


@every
def test_an_item_without_a_time_is_an_error_of_the_stream(make: Callable[[], Any]) -> None:
    errors: list[Exception] = []
    reactivex.of("no time").pipe(make()).subscribe(on_error=errors.append)
    assert [type(e) for e in errors] == [AttributeError]


@every
def test_selectors_replace_time_and_value(make: Callable[[], Any]) -> None:
    name = next(n for n, m in OPERATORS.items() if m is make)
    arguments = {
        "trend": {"window": 5}, "hysteresis": {"low": 1, "high": 3}, "debounce": {"seconds": 1},
        "stabilize": {"up": 3, "down": 1},
    }[name]  # fmt: skip
    operator = getattr(gs, name)(**arguments, value=lambda item: item[1], time=lambda item: item[0])
    assert run(operator, [tuple(item) for item in ITEMS]) == run(make(), ITEMS)
