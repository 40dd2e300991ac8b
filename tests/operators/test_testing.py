"""Marbles go in and come out as they were, and what hides a fault is refused."""

from typing import Any

import pytest
import reactivex
from gearshift.operators import Stamped, staleness
from gearshift.operators.testing import START, hot, marble, run, series
from hypothesis import given
from hypothesis import strategies as st
from reactivex import Observable
from reactivex import operators as ops
from reactivex.testing import TestScheduler

LINES = st.text("-abc", max_size=30)


@given(LINES, st.sampled_from([1.0, 0.1, 2.5, 1e-3, 60.0]))
def test_a_line_comes_back_as_it_was(line: str, frame: float) -> None:
    assert marble(series(line, frame=frame), len(line), frame=frame) == line


@given(LINES)
def test_an_operator_that_changes_nothing_gives_the_line_back(line: str) -> None:
    assert marble(run(ops.map(lambda item: item), series(line)), len(line)) == line


def test_spaces_only_align() -> None:
    assert series("-a b-") == series("-ab-") == [Stamped(1.0, "a"), Stamped(2.0, "b")]


def test_values_stand_for_characters_and_names_for_values() -> None:
    made = series("-t|", {"t": True, "|": False})
    assert made == [Stamped(1.0, True), Stamped(2.0, False)]
    assert marble(made, 4, {True: "t", False: "f"}) == "-tf-"
    assert marble([]) == "" and marble([], 2) == "--" and marble(made, names={True: "t", False: "f"}) == "-tf"


@pytest.mark.parametrize("line", ["--|", "-#", "(ab)", "^-a"])
def test_ends_and_groups_are_no_items(line: str) -> None:
    with pytest.raises(ValueError, match=r"is no item; leave it out \(a series completes by itself\), or name it"):
        series(line)


@pytest.mark.parametrize(
    ("items", "options", "says"),
    [
        ([Stamped(1.0, "a"), Stamped(1.5, "b")], {}, "'a' and 'b' are both in frame 1; take a shorter frame"),
        ([Stamped(5.0, "a")], {"length": 5}, "'a' at 5 s is outside a line of 5 frames of 1 s"),
        ([Stamped(-1.0, "a")], {"length": 5}, "'a' at -1 s is outside a line of 5 frames"),
        ([Stamped(1.0, "ab")], {}, "'ab' is no single character; give one in names for the value 'ab'"),
        ([Stamped(1.0, 12)], {"names": {1: "a"}}, "'12' is no single character"),
        ([], {"frame": 0}, "frame must be a finite number above 0"),
    ],
)
def test_a_line_that_would_hide_an_item_is_refused(items: list[Any], options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError) as caught:
        marble(items, **options)
    assert says in str(caught.value)


def test_an_operator_s_own_failure_comes_through() -> None:
    with pytest.raises(ZeroDivisionError):
        run(ops.map(lambda _: 1 / 0), "ab")


def test_an_operator_that_never_ends_or_ends_early_is_told() -> None:
    def never_ends(source: Observable[Any]) -> Observable[Any]:
        return reactivex.merge(source, reactivex.never())

    with pytest.raises(AssertionError, match="the operator did not complete when its source did; it gave"):
        run(never_ends, "ab")
    with pytest.raises(AssertionError, match="from 200 until its end at 203, it was .*201"):
        run(ops.take(1), "ab")


def test_an_operator_that_subscribes_twice_is_told() -> None:
    def twice(source: Observable[Any]) -> Observable[Any]:
        return reactivex.merge(source, source)

    with pytest.raises(AssertionError, match="was to be subscribed once"):
        run(twice, "ab")


def test_a_hot_observable_has_its_items_a_second_apart_and_its_end_where_it_is_said() -> None:
    scheduler, gone = TestScheduler(), OSError("gone")
    seen = scheduler.start(lambda: hot(scheduler, "ab", end=5.0).pipe(ops.materialize()))
    assert [message.time - START for message in seen.messages] == [1, 2, 5, 5]
    scheduler = TestScheduler()
    messages: list[Any] = scheduler.start(lambda: hot(scheduler, "ab", error=gone)).messages
    assert (messages[-1].time - START, messages[-1].value.exception) == (3, gone)


def test_operators_with_timers_run_on_the_scheduler() -> None:
    scheduler = TestScheduler()
    source = hot(scheduler, ["x"], end=20.0)
    seen: list[Any] = scheduler.start(lambda: source.pipe(staleness(5)), disposed=START + 30).messages
    assert [(m.time - START, m.value.value) for m in seen[:-1]] == [(1, False), (6, True)]
