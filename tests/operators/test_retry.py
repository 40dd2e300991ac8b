import random
from collections.abc import Callable
from typing import Any

import pytest
import reactivex
from gearshift.operators import retry_with_backoff
from gearshift.operators.retry import Backoff
from hypothesis import given
from hypothesis import strategies as st
from reactivex import Observable
from reactivex.testing import ReactiveTest, TestScheduler


def flaky(scheduler: TestScheduler, *tries: str) -> tuple[Observable[str], list[float]]:
    """A source that emits a character a second on its n-th subscription, `X` failing; and when it was subscribed."""
    times: list[float] = []

    def factory(_: Any) -> Any:
        script = tries[min(len(times), len(tries) - 1)]
        times.append(scheduler.clock)
        records = [
            ReactiveTest.on_error(i + 1, OSError(f"try {len(times)}")) if c == "X"
            else ReactiveTest.on_completed(i + 1) if c == "|"
            else ReactiveTest.on_next(i + 1, c)
            for i, c in enumerate(script)
        ]  # fmt: skip
        return scheduler.create_cold_observable(records)

    return reactivex.defer(factory), times


def play(source: Observable[str], scheduler: TestScheduler, **arguments: Any) -> list[tuple[float, Any]]:
    operator = retry_with_backoff(jitter=0, **arguments)
    messages = scheduler.start(lambda: source.pipe(operator), disposed=2000).messages
    return [(m.time - 200, m.value.value if m.value.kind == "N" else m.value.kind) for m in messages]


def test_waits_longer_after_each_failure_and_begins_again_after_an_item() -> None:
    scheduler = TestScheduler()
    source, subscribed = flaky(scheduler, "X", "X", "X", "aX", "X", "b|")
    out = play(source, scheduler, initial=4, factor=2, cap=10)
    #  fails at 1, wait 4; 6, wait 8; 15, wait 10; a at 26, fails at 27, wait 4; 32, wait 8
    assert [t - 200 for t in subscribed] == [0, 5, 14, 25, 31, 40]
    assert out == [(26, "a"), (41, "b"), (42, "C")]


def test_hands_the_error_on_when_the_retries_are_used_up() -> None:
    scheduler = TestScheduler()
    source, subscribed = flaky(scheduler, "X")
    assert play(source, scheduler, retries=2) == [(6, "E")]
    assert len(subscribed) == 3


def test_other_errors_are_handed_on_at_once() -> None:
    scheduler = TestScheduler()
    source, subscribed = flaky(scheduler, "X")
    assert play(source, scheduler, retry_on=(ValueError, KeyError)) == [(1, "E")]
    assert len(subscribed) == 1


def test_every_failure_is_told_with_its_wait() -> None:
    scheduler = TestScheduler()
    source, _ = flaky(scheduler, "X", "X", "|")
    told: list[tuple[str, float]] = []
    play(source, scheduler, initial=3, on_retry=lambda error, wait: told.append((str(error), wait)))
    assert told == [("try 1", 3), ("try 2", 6)]


@pytest.mark.parametrize("arguments", [{"on_retry": lambda *_: 1 / 0}, {"random": lambda: 1 / 0, "jitter": 1}])
def test_a_callback_that_raises_ends_the_stream(arguments: Any) -> None:
    errors: list[Exception] = []
    reactivex.throw(OSError("down")).pipe(retry_with_backoff(**arguments)).subscribe(on_error=errors.append)
    assert [type(e) for e in errors] == [ZeroDivisionError]


def test_disposal_ends_a_wait_and_a_subscription() -> None:
    scheduler = TestScheduler()
    source, subscribed = flaky(scheduler, "X")
    scheduler.start(lambda: source.pipe(retry_with_backoff(initial=50, jitter=0)), disposed=210)
    scheduler.advance_to(1000)
    assert len(subscribed) == 1


def test_a_source_that_fails_while_it_is_subscribed_is_retried_without_recursion() -> None:
    scheduler, attempts = TestScheduler(), 0

    def fail(_: Any) -> Observable[int]:
        nonlocal attempts
        attempts += 1
        return reactivex.throw(OSError("down")) if attempts < 3000 else reactivex.of(attempts)

    seen: list[int] = []
    patient = retry_with_backoff(initial=0.01, cap=0.01, jitter=0, scheduler=scheduler)
    reactivex.defer(fail).pipe(patient).subscribe(seen.append)
    scheduler.advance_to(100_000)
    assert seen == [3000]


@given(st.floats(0.01, 10), st.floats(1, 5), st.floats(1, 20), st.floats(0, 1), st.integers(0, 30))
def test_waits_stay_between_their_bounds(initial: float, factor: float, more: float, jitter: float, n: int) -> None:
    cap = initial * more
    backoff = Backoff(initial=initial, factor=factor, cap=cap, jitter=jitter, random=random.Random(n).random)
    for i in range(n):
        full = min(cap, initial * factor**i)
        wait = backoff.delay()
        assert wait is not None and full * (1 - jitter) * (1 - 1e-9) <= wait <= full * (1 + 1e-9)


def test_a_seeded_run_repeats_itself() -> None:
    first, second = (Backoff(random=random.Random(8).random) for _ in range(2))
    waits = [first.delay() for _ in range(10)]
    assert waits == [second.delay() for _ in range(10)] and len(set(waits)) == 10


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: retry_with_backoff(retries=-1), ValueError, "retries must be at least 0, got retries=-1"),
        (lambda: retry_with_backoff(retries=1.5), TypeError, "retries must be a whole number, got retries=1.5"),
        (lambda: retry_with_backoff(initial=0), ValueError, "initial must be .* got initial=0"),
        (lambda: retry_with_backoff(initial=9, cap=3), ValueError, "initial must not be above cap, got initial=9"),
        (lambda: retry_with_backoff(factor=0.5), ValueError, "factor must be at least 1, got factor=0.5"),
        (lambda: retry_with_backoff(jitter=2), ValueError, "jitter must be a fraction from 0 to 1, got jitter=2"),
        (lambda: retry_with_backoff(retry_on=OSError("x")), TypeError, "retry_on must be an exception type"),
        (lambda: retry_with_backoff(on_retry=True), TypeError, "on_retry must be a function, got on_retry=True"),
        (lambda: retry_with_backoff(random=4), TypeError, "random must be a function, got random=4"),
        (lambda: retry_with_backoff(scheduler=4), TypeError, "scheduler must be a scheduler .* got scheduler=4"),
    ],
)  # fmt: skip
def test_a_bad_argument_is_named(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
