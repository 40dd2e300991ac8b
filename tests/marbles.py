"""Marbles for event-time operators: what goes in and what comes out, over RxPY's TestScheduler."""

from collections.abc import Callable, Sequence
from typing import Any

from gearshift.operators import Stamped
from reactivex import Observable
from reactivex.testing import ReactiveTest, TestScheduler

START = 200.0  # TestScheduler subscribes here


def hot(
    scheduler: TestScheduler, items: Sequence[Any], *, end: float | None = None, error: Exception | None = None
) -> Any:
    """Items one second apart from START + 1; then completion at `end` (seconds from START), or an error there."""
    records = [ReactiveTest.on_next(START + 1 + i, item) for i, item in enumerate(items)]
    if error is not None:
        records.append(ReactiveTest.on_error(START + (end or len(items) + 1), error))
    elif end is not None:
        records.append(ReactiveTest.on_completed(START + end))
    return scheduler.create_hot_observable(records)


def series(marble: str, values: dict[str, Any] | None = None, *, frame: float = 1.0) -> list[Stamped]:
    """`"--a-b"` to stamped items: each character is a frame of event time, `-` is nothing.

    >>> series("-a-b", {"a": 1, "b": 2})
    [Stamped(time=1.0, value=1), Stamped(time=3.0, value=2)]
    """
    return [Stamped(i * frame, (values or {}).get(c, c)) for i, c in enumerate(marble) if c != "-"]


def run(operator: Callable[[Observable[Any]], Observable[Any]], items: Sequence[Any]) -> list[Any]:
    """All that `operator` makes of items pushed through a TestScheduler; asserts completion and disposal."""
    scheduler = TestScheduler()
    source = hot(scheduler, items, end=len(items) + 1)
    result = scheduler.start(lambda: source.pipe(operator), disposed=START + len(items) + 10)
    kinds = [m.value.kind for m in result.messages]
    assert kinds[-1] == "C", kinds
    assert [(s.subscribe, s.unsubscribe) for s in source.subscriptions] == [(START, START + len(items) + 1)]
    return [m.value.value for m in result.messages[:-1]]


def marble(items: Sequence[Stamped], length: int, names: dict[Any, str] | None = None) -> str:
    """Stamped items back to a marble, to compare under the input."""
    line = ["-"] * length
    for item in items:
        line[int(item.time)] = (names or {}).get(item.value, str(item.value))
    return "".join(line)
