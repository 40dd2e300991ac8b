from threading import Barrier, Event, Thread
from typing import Any

import pytest
import reactivex
from gearshift.operators import serialize
from gearshift.operators.serialize import Gate
from reactivex import Subject
from reactivex import operators as ops


def test_pushes_from_four_threads_come_one_at_a_time_and_none_is_lost() -> None:
    source: Subject[tuple[int, int]] = Subject()
    seen: list[tuple[int, int]] = []
    inside = overlaps = 0

    def consume(item: tuple[int, int]) -> None:
        nonlocal inside, overlaps
        inside += 1
        overlaps += inside > 1
        for _ in range(50):  # long enough that threads take turns in here
            seen_so_far = len(seen)
        seen.append(item)
        overlaps += seen_so_far != len(seen) - 1
        inside -= 1

    source.pipe(serialize()).subscribe(consume)
    start = Barrier(4)

    def push(thread: int) -> None:
        start.wait()
        for i in range(2000):
            source.on_next((thread, i))

    threads = [Thread(target=push, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert overlaps == 0
    for n in range(4):
        assert [i for thread, i in seen if thread == n] == list(range(2000))


def test_errors_and_completion_wait_for_the_push_that_is_under_way() -> None:
    for end in (lambda s: s.on_error(OSError("gone")), lambda s: s.on_completed()):
        source: Subject[int] = Subject()
        order: list[str] = []

        def consume(_: int, source: Any = source, order: Any = order, end: Any = end) -> None:
            end(source)
            order.append("handled")

        source.pipe(serialize()).subscribe(
            consume, lambda _, order=order: order.append("end"), lambda order=order: order.append("end")
        )
        source.on_next(1)
        assert order == ["handled", "end"]


@pytest.mark.slow
def test_a_push_waits_while_another_thread_is_inside() -> None:
    source: Subject[str] = Subject()
    entered, release = Event(), Event()
    order: list[str] = []

    def consume(item: str) -> None:
        order.append(f"{item} in")
        if item == "first":
            entered.set()
            release.wait(10)
        order.append(f"{item} out")

    source.pipe(serialize()).subscribe(consume)
    first = Thread(target=source.on_next, args=("first",))
    second = Thread(target=source.on_next, args=("second",))
    first.start()
    assert entered.wait(10)
    second.start()
    second.join(0.2)
    assert second.is_alive(), "the second push did not wait"
    release.set()
    first.join(10)
    second.join(10)
    assert order == ["first in", "first out", "second in", "second out"]


def test_a_push_from_inside_follows() -> None:
    source: Subject[int] = Subject()
    order: list[Any] = []

    def consume(item: int) -> None:
        order.append(item)
        if item < 3:
            source.on_next(item + 1)
        order.append(-item)

    source.pipe(serialize()).subscribe(consume)
    source.on_next(1)
    assert order == [1, -1, 2, -2, 3, -3]


def test_completion_from_inside_follows_and_nothing_comes_after() -> None:
    source: Subject[int] = Subject()
    seen: list[Any] = []
    source.pipe(serialize(), ops.do_action(lambda _: source.on_completed()), ops.materialize()).subscribe(seen.append)
    source.on_next(1)
    source.on_next(2)
    assert [n.kind for n in seen] == ["N", "C"]


def test_a_call_that_raises_leaves_the_gate_open_for_the_rest() -> None:
    gate, order = Gate(), []

    def failing() -> None:
        gate.pass_through(lambda: order.append("queued"))
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        gate.pass_through(failing)
    gate.pass_through(lambda: order.append("next"))
    assert order == ["queued", "next"]


def test_a_reply_from_below_does_not_overtake() -> None:
    echo: Subject[str] = Subject()
    merged = reactivex.merge(reactivex.of("a"), echo).pipe(serialize())
    seen: list[str] = []

    def consume(item: str) -> None:
        if item == "a":
            echo.on_next("b")
        seen.append(item)

    merged.subscribe(consume)
    assert seen[0] == "a"


def test_a_call_is_made_even_if_one_left_over_raises_again() -> None:
    gate, done = Gate(), []

    def fail() -> None:
        raise OSError("disk full")

    def first() -> None:
        gate.pass_through(fail)
        gate.pass_through(fail)

    for call in (first, lambda: done.append("second")):
        with pytest.raises(OSError, match="disk full"):
            gate.pass_through(call)
    gate.pass_through(done.append, "third")
    assert done == ["second", "third"]
