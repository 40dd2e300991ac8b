"""Every law over every operator."""

import gc
import math
import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import reactivex
from gearshift import operators as gs
from gearshift.operators import Stamped, Trend
from gearshift.operators.testing import START, hot, run
from reactivex import Subject
from reactivex import operators as ops
from reactivex.scheduler import ImmediateScheduler
from reactivex.testing import TestScheduler


def no_change(item: Any, _: float) -> float:
    return item[1]


ON_EVENT_TIME: dict[str, Callable[..., Any]] = {
    "trend": lambda **selectors: gs.trend(5, **selectors),
    "trend theil-sen": lambda **selectors: gs.trend(5, method="theil-sen", **selectors),
    "trend holt": lambda **selectors: gs.trend(0.2, method="holt", **selectors),
    "calibrated": lambda **selectors: gs.calibrated(1, 0.5, window=5, **{"forecast": no_change, **selectors}),
    "calibrated at two horizons": lambda **selectors: gs.calibrated(
        (1, 2), 0.5, window=5, **{"forecast": no_change, **selectors}
    ),
    "hysteresis": lambda **selectors: gs.hysteresis(1, 3, **selectors),
    "hysteresis levels": lambda **selectors: gs.hysteresis(levels=[(1, 2), (3, 4)], **selectors),
    "debounce": lambda **selectors: gs.debounce(1, **selectors),
    "debounce rise fall": lambda **selectors: gs.debounce(rise=1, fall=0, **selectors),
    "stabilize": lambda **selectors: gs.stabilize(up=3, down=1, **selectors),
    "cooldown": lambda **selectors: gs.cooldown(2, **selectors),
    "rate_limit": lambda **selectors: gs.rate_limit(2, per=3, **selectors),
}
ON_ANY_ITEM: dict[str, Callable[..., Any]] = {
    "reset_on_gap": lambda: gs.reset_on_gap(2, gs.trend(5)),
    "staleness": lambda: gs.staleness(3),
    "conflate": lambda: gs.conflate(ImmediateScheduler()),
    "serialize": lambda: gs.serialize(),
    "retry_with_backoff": lambda: gs.retry_with_backoff(retries=0),
}
OPERATORS = ON_EVENT_TIME | ON_ANY_ITEM
VALUES = (0, 4, 4, 4, 2, 1, 1, 5, 5, 5, 5, 5)
ITEMS = [Stamped(float(t), v) for t, v in enumerate(VALUES)]

every = pytest.mark.parametrize("make", OPERATORS.values(), ids=OPERATORS.keys())
timed = pytest.mark.parametrize("make", ON_EVENT_TIME.values(), ids=ON_EVENT_TIME.keys())


def test_every_public_operator_is_under_the_laws() -> None:
    functions = {name for name in gs.__all__ if name.islower()}
    assert functions == {name.split()[0] for name in OPERATORS}


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
    seen = scheduler.start(lambda: source.pipe(make()), disposed=START + 4)
    assert [(s.subscribe, s.unsubscribe) for s in source.subscriptions] == [(START, START + 4)]
    assert all(m.time <= START + 4 for m in seen.messages)


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
    given = TestScheduler()

    def subscribe(_: Any, scheduler: Any = None) -> Any:
        seen.append(scheduler)
        return reactivex.disposable.Disposable()

    reactivex.create(subscribe).pipe(make()).subscribe(scheduler=given)
    assert seen == [given]


@every
def test_items_pushed_after_the_end_are_ignored(make: Callable[[], Any]) -> None:
    source: Subject[Any] = Subject()
    seen: list[Any] = []
    source.pipe(make(), ops.materialize()).subscribe(seen.append)
    for item in ITEMS[:4]:
        source.on_next(item)
    source.on_completed()
    before = list(seen)
    source.on_next(ITEMS[4])
    assert seen == before and seen[-1].kind == "C"


@timed
def test_an_item_without_a_time_is_an_error_of_the_stream(make: Callable[[], Any]) -> None:
    errors: list[Exception] = []
    reactivex.of("no time").pipe(make()).subscribe(on_error=errors.append)
    assert [type(e) for e in errors] == [AttributeError]


@timed
def test_selectors_replace_time_and_value(make: Callable[..., Any]) -> None:
    selectors: dict[str, Any] = {"value": lambda item: item[1], "time": lambda item: item[0]}
    assert run(make(**selectors), [tuple(item) for item in ITEMS]) == run(make(), ITEMS)


@timed
@pytest.mark.parametrize("selector", ["value", "time"])
def test_a_selector_that_is_no_function_is_named(make: Callable[..., Any], selector: str) -> None:
    with pytest.raises(TypeError, match=f"{selector} must be a function, got {selector}='used'"):
        make(**{selector: "used"})


@timed
@pytest.mark.parametrize("time", [math.nan, math.inf, -math.inf, 1e30])
def test_an_item_without_a_usable_time_is_left_out(make: Callable[..., Any], time: float) -> None:
    dirty = [item for clean in ITEMS for item in (Stamped(time, 3), clean, Stamped(time, -7))]
    assert run(make(), dirty) == run(make(), ITEMS)


@timed
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300])
def test_a_wild_value_leaves_no_trace_once_its_window_is_over(make: Callable[..., Any], value: float) -> None:
    wild = [Stamped(t, value) for t in (-1009.0, -1008.5, -1008.5, -1003.0, -1002.0, -1001.0, -1000.5)]
    settle = [Stamped(float(t), 1) for t in range(-999, 0)]
    last, expect = run(make(), [*wild, *settle, *ITEMS])[-1], run(make(), [*settle, *ITEMS])[-1]
    if isinstance(last, Trend):
        assert (last.level, last.slope) == pytest.approx((expect.level, expect.slope))
        last, expect = last._replace(spread=0, span=0, count=0), expect._replace(spread=0, span=0, count=0)
        assert (last.time, last.value) == (expect.time, expect.value)
    else:
        assert last == expect


@timed
def test_time_going_back_and_standing_still_is_survived(make: Callable[..., Any]) -> None:
    back = [Stamped(5.0, 4), Stamped(2.0, 9), Stamped(5.0, 4), Stamped(-100.0, 0), Stamped(5.0, 4)]
    later = [Stamped(1000.0 + t, v) for t, v in ITEMS]
    last, expect = run(make(), [*ITEMS[:5], *back, *later])[-1], run(make(), [*ITEMS[:5], *later])[-1]
    if isinstance(last, Trend):
        assert (last.level, last.slope) == pytest.approx((expect.level, expect.slope), rel=0.05, abs=0.05)
    else:
        assert last == expect


@timed
@pytest.mark.parametrize("kind", [np.float32, np.int64, np.uint32, np.float64])
def test_times_and_durations_of_any_kind_count_as_seconds(make: Callable[..., Any], kind: Any) -> None:
    early = [Stamped(kind(t + 7), v) for t, v in ITEMS]
    assert run(make(), early) == run(make(), [Stamped(float(t), v) for t, v in early])


@pytest.mark.parametrize(
    "make",
    [
        lambda of: gs.trend(of(60)),
        lambda of: gs.trend(of(60), method="theil-sen"),
        lambda of: gs.trend(of(60), method="holt"),
        lambda of: gs.calibrated(of(3), 0.5, window=of(60), forecast=no_change),
        lambda of: gs.debounce(of(3)),
        lambda of: gs.stabilize(up=of(3), down=of(2)),
        lambda of: gs.cooldown(of(3)),
        lambda of: gs.rate_limit(of(2), per=of(3)),
        lambda of: gs.reset_on_gap(of(2), gs.trend(of(5))),
    ],
)
@pytest.mark.parametrize("of", [np.float32, np.int64, Fraction])
def test_a_duration_of_any_kind_counts_as_seconds_at_epoch_times(make: Callable[[Any], Any], of: Any) -> None:
    items = [Stamped(1.7e9 + t, VALUES[t % len(VALUES)]) for t in range(100)]
    assert run(make(of), items) == run(make(float), items)


LITTLE = 3000  # bytes


def growth(make: Callable[[], Any], item: Callable[[int], Any]) -> int:
    """Bytes held after 6,000 items beyond those after 3,000: the least of up to ten tries, as the whole process counts,
    and other threads of it may take some meanwhile."""
    least = _growth(make, item)
    for _ in range(9):
        if least < LITTLE:
            break
        least = min(least, _growth(make, item))
    return least


def _growth(make: Callable[[], Any], item: Callable[[int], Any]) -> int:
    source: Subject[Any] = Subject()
    source.pipe(make()).subscribe()

    def held_after(begin: int, end: int) -> int:
        for i in range(begin, end):
            source.on_next(item(i))
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = held_after(0, 3000)
        return held_after(3000, 6000) - before
    finally:
        tracemalloc.stop()


@every
def test_holds_no_more_than_its_window(make: Callable[[], Any]) -> None:
    assert growth(make, lambda i: Stamped(float(i), VALUES[i % len(VALUES)])) < LITTLE


@pytest.mark.parametrize("name", sorted(set(ON_EVENT_TIME) - {"trend", "trend theil-sen"}))
@pytest.mark.parametrize("value", [lambda i: i, lambda i: -i, lambda i: VALUES[i % len(VALUES)]])
def test_holds_no_more_while_time_stands_still(name: str, value: Callable[[int], int]) -> None:
    assert growth(OPERATORS[name], lambda i: Stamped(5.0, value(i))) < LITTLE
