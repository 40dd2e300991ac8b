from threading import Event, current_thread
from typing import Any

import pytest
import reactivex
from gearshift.operators import conflate
from hypothesis import given
from hypothesis import strategies as st
from reactivex import Subject
from reactivex import operators as ops
from reactivex.scheduler import EventLoopScheduler
from reactivex.testing import TestScheduler


def test_a_busy_consumer_gets_the_latest_when_it_is_free() -> None:
    loop, source = EventLoopScheduler(), Subject[int]()
    entered, release, done = Event(), Event(), Event()
    seen: list[tuple[int, str]] = []

    def slow(item: int) -> None:
        seen.append((item, current_thread().name))
        entered.set()
        release.wait(10)

    source.pipe(conflate(loop)).subscribe(slow, on_completed=done.set)
    source.on_next(0)
    assert entered.wait(10)
    for i in range(1, 1000):
        source.on_next(i)  # returns at once: the consumer is still in its first item
    assert [item for item, _ in seen] == [0]
    source.on_completed()
    release.set()
    assert done.wait(10)
    assert [item for item, _ in seen] == [0, 999]
    assert current_thread().name not in {thread for _, thread in seen}
    loop.dispose()


@given(st.lists(st.sampled_from("pc"), max_size=40), st.sampled_from(["C", "E"]))
def test_any_interleaving_keeps_the_order_and_the_last_item(moves: str, ending: str) -> None:
    scheduler, source = TestScheduler(), Subject[int]()
    seen: list[Any] = []
    source.pipe(conflate(scheduler), ops.materialize()).subscribe(seen.append)
    pushed, at = 0, 0.0
    for move in moves:
        if move == "p":
            pushed += 1
            source.on_next(pushed)
        else:
            at += 10
            scheduler.advance_to(at)
            assert [n.value for n in seen][-1:] == [pushed][:pushed]
    source.on_completed() if ending == "C" else source.on_error(OSError("gone"))
    scheduler.advance_to(at + 10)
    values = [n.value for n in seen if n.kind == "N"]
    assert values == sorted(set(values)) and values[-1:] == [pushed][:pushed]
    assert [n.kind for n in seen if n.kind != "N"] == [ending]


def test_other_work_on_the_scheduler_has_its_turn() -> None:
    scheduler, source = TestScheduler(), Subject[int]()
    order: list[Any] = []

    def consume(item: int) -> None:
        order.append(item)
        if item < 3:
            source.on_next(item + 1)

    source.pipe(conflate(scheduler)).subscribe(consume)
    source.on_next(1)
    scheduler.schedule(lambda *_: order.append("other"))
    scheduler.advance_to(10)
    assert order == [1, "other", 2, 3]


def test_a_consumer_that_raises_gets_the_next_item_all_the_same() -> None:
    scheduler, source = TestScheduler(), Subject[int]()
    seen: list[int] = []

    def consume(item: int) -> None:
        seen.append(item)
        if item == 1:
            raise OSError("disk full")

    source.pipe(conflate(scheduler)).subscribe(consume)
    source.on_next(1)
    with pytest.raises(OSError, match="disk full"):
        scheduler.start()
    scheduler.stop()
    source.on_next(2)
    scheduler.start()
    assert seen == [1, 2]


def test_the_last_item_is_never_lost_to_a_completion_on_its_heels() -> None:
    loop = EventLoopScheduler()
    for last in range(2000):
        source, done = Subject[int](), Event()
        seen: list[int] = []
        source.pipe(conflate(loop)).subscribe(seen.append, on_completed=done.set)
        for i in range(last % 5 + 1):
            source.on_next(i)
        source.on_completed()
        assert done.wait(10)
        assert seen[-1] == last % 5
    loop.dispose()


def test_nothing_comes_after_disposal() -> None:
    scheduler, source = TestScheduler(), Subject[int]()
    seen: list[int] = []
    subscription = source.pipe(conflate(scheduler)).subscribe(seen.append)
    source.on_next(1)
    subscription.dispose()
    scheduler.advance_to(10)
    assert seen == [] and not source.observers


def test_takes_the_scheduler_of_the_subscription() -> None:
    scheduler = TestScheduler()
    seen: list[int] = []
    reactivex.of(1, 2, 3).pipe(conflate()).subscribe(seen.append, scheduler=scheduler)
    scheduler.advance_to(10)
    assert seen[-1] == 3


def test_its_own_scheduler_comes_before_the_one_of_the_subscription() -> None:
    own, other, seen = TestScheduler(), TestScheduler(), []
    reactivex.of(1).pipe(conflate(own)).subscribe(seen.append, scheduler=other)
    other.advance_to(10)
    assert seen == []
    own.advance_to(10)
    assert seen == [1]


def test_without_a_scheduler_says_what_to_pass() -> None:
    with pytest.raises(ValueError, match="conflate needs a scheduler .* pass one to it or to subscribe"):
        reactivex.of(1).pipe(conflate()).subscribe()


def test_what_is_no_scheduler_is_named() -> None:
    with pytest.raises(TypeError, match="scheduler must be a scheduler of reactivex or None, got scheduler='loop'"):
        conflate("loop")
