"""Subscribes again after a failure, later each time."""

import random as random_module
from collections.abc import Callable
from typing import Any, TypeVar, cast

import reactivex
from reactivex import Observable, abc
from reactivex.disposable import SerialDisposable, SingleAssignmentDisposable

from .typing import Operator, finite, functions, positive, scheduler_or_none, wait, whole

__all__ = ["Backoff", "retry_with_backoff"]

A = TypeVar("A")


class Backoff:
    """The arithmetic of `retry_with_backoff`, without Rx. `delay()` is None when the retries are used up.

    retries: how many failures in a row are answered; None for ever. initial, cap: the first and the longest wait,
    seconds. factor: how many times as long each next wait is, at least 1. jitter: the share of a wait that is left to
    chance, from 0 to 1. random: gives a number from 0 up to 1. Raises TypeError, ValueError.

    >>> backoff = Backoff(retries=5, initial=1, factor=2, cap=5, jitter=0)
    >>> [backoff.delay() for _ in range(6)]
    [1.0, 2.0, 4.0, 5.0, 5.0, None]
    """

    __slots__ = ("_left", "_next", "cap", "factor", "initial", "jitter", "random", "retries")

    def __init__(
        self,
        *,
        retries: int | None = None,
        initial: float = 1.0,
        factor: float = 2.0,
        cap: float = 60.0,
        jitter: float = 1.0,
        random: Callable[[], float] = random_module.random,
    ) -> None:
        self.retries = None if retries is None else whole("retries", retries, least=0)
        self.initial, self.cap = positive("initial", initial), wait("cap", cap)
        if not initial <= cap:
            raise ValueError(f"initial must not be above cap, got initial={initial!r} cap={cap!r}")
        self.factor, self.jitter = finite("factor", factor), finite("jitter", jitter)
        if not self.factor >= 1:
            raise ValueError(f"factor must be at least 1, got factor={factor!r}")
        if not 0 <= self.jitter <= 1:
            raise ValueError(f"jitter must be a fraction from 0 to 1, got jitter={jitter!r}")
        functions(random=random)
        self.random = random
        self.reset()

    def reset(self) -> None:
        """Begin again: the source has shown that it works."""
        self._next, self._left = self.initial, self.retries

    def delay(self) -> float | None:
        """Seconds to wait before the next attempt; None when there is to be none."""
        if self._left is not None:
            if self._left <= 0:
                return None
            self._left -= 1
        delay, self._next = self._next, min(self.cap, self._next * self.factor)
        return delay * (1 - self.jitter * self.random()) if self.jitter else delay


def _exceptions(name: str, value: Any) -> tuple[type[Exception], ...]:
    kinds = cast("tuple[Any, ...]", value) if isinstance(value, tuple) else (value,)
    if not all(isinstance(kind, type) and issubclass(kind, Exception) for kind in kinds):
        raise TypeError(f"{name} must be an exception type or a tuple of them, got {name}={value!r}")
    return kinds


def retry_with_backoff(
    *,
    retries: int | None = None,
    initial: float = 1.0,
    factor: float = 2.0,
    cap: float = 60.0,
    jitter: float = 1.0,
    retry_on: type[Exception] | tuple[type[Exception], ...] = Exception,
    on_retry: Callable[[Exception, float], object] | None = None,
    random: Callable[[], float] = random_module.random,
    scheduler: abc.SchedulerBase | None = None,
) -> Operator[A, A]:
    """Subscribe to the source again when it fails, after a wait that grows with each failure in a row.

    ::

        source:  --a--X   --X       --b--|
                 retry_with_backoff(initial=4, jitter=0)     (one dash = 1 s)
        out:     --a------------------b--|

    The wait is `initial`, then `factor` times as long with each failure in a row, at most `cap`; of that, a random
    part between 1 − `jitter` and all, so that many clients don't come back at one moment. An item resets waits and
    retries. Items are handed on as they come, whatever their times and values. Completes when the source does.
    `reactivex.operators.retry` knows no wait and makes hundreds of attempts in milliseconds.

    Args:
        retries: failures in a row to answer before the next is handed on; None for ever.
        initial: the first wait, seconds.
        factor: how much longer each next wait is; at least 1.
        cap: the longest wait, seconds.
        jitter: the share of a wait that is left to chance, 0 to 1; 1 is "full jitter".
        retry_on: the exceptions to retry on; any other is handed on at once.
        on_retry: called with the error and the wait in seconds before each wait, so that no failure is silent. What it
            raises ends the stream.
        random: gives a number from 0 up to 1; pass a seeded one to repeat a run.
        scheduler: where to wait; by default the one that is passed to `subscribe`, else as in `reactivex.timer`.

    Returns:
        An operator from items to the same items.

    Raises:
        TypeError, ValueError: at construction, naming the parameter.

    >>> import reactivex
    >>> from gearshift.operators import retry_with_backoff
    >>> from reactivex.testing import TestScheduler
    >>> clock, answers = TestScheduler(), iter([OSError("busy"), OSError("busy"), None])
    >>> def ask(_):
    ...     error = next(answers)
    ...     return reactivex.throw(error) if error else reactivex.of("an answer")
    >>> patient = retry_with_backoff(jitter=0, on_retry=lambda e, wait: print(e, wait), scheduler=clock)
    >>> _ = reactivex.defer(ask).pipe(patient).subscribe(print)
    busy 1.0
    >>> clock.advance_to(3)
    busy 2.0
    an answer

    Source: M. Brooker, "Exponential backoff and jitter" (AWS architecture blog, 2015).
    """

    def backoff_() -> Backoff:
        return Backoff(retries=retries, initial=initial, factor=factor, cap=cap, jitter=jitter, random=random)

    backoff_()
    scheduler_or_none(scheduler)
    kinds = _exceptions("retry_on", retry_on)
    if on_retry is not None:
        functions(on_retry=on_retry)

    def apply(source: Observable[A]) -> Observable[A]:
        def subscribe(observer: abc.ObserverBase[A], given: abc.SchedulerBase | None = None) -> abc.DisposableBase:
            backoff, current = backoff_(), SerialDisposable()

            def attempt() -> None:
                subscription = SingleAssignmentDisposable()  # a source may fail while it is being subscribed
                current.disposable = subscription
                subscription.disposable = source.subscribe(on_next, failed, observer.on_completed, scheduler=given)

            def on_next(item: A) -> None:
                backoff.reset()
                observer.on_next(item)

            def failed(error: Exception) -> None:
                try:
                    delay = backoff.delay() if isinstance(error, kinds) else None
                    if delay is not None and on_retry is not None:
                        on_retry(error, delay)
                except Exception as broken:  # noqa: BLE001 - a callback's failure belongs to the stream
                    observer.on_error(broken)
                    return
                if delay is None:
                    observer.on_error(error)
                    return
                pause = SingleAssignmentDisposable()
                current.disposable = pause
                pause.disposable = reactivex.timer(delay, scheduler=scheduler).subscribe(
                    lambda _: attempt(), scheduler=given
                )

            attempt()
            return current

        return reactivex.create(subscribe)

    return apply
