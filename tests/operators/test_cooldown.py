import math

import pytest
from gearshift.operators import Stamped, cooldown
from gearshift.operators.testing import marble, run, series
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("source", "expect"),
    [
        ("1233331", "1222333"),
        ("1233111", "1222111"),
        ("1111111", "1111111"),
        ("1212121", "1222111"),
        ("1-2-3-4", "1-2-2-4"),
    ],
)
def test_a_change_is_held_for_three_seconds(source: str, expect: str) -> None:
    assert marble(run(cooldown(3), series(source)), len(source)) == expect


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(0, 3)), max_size=60), st.floats(0, 8))
def test_changes_are_that_far_apart_and_each_is_to_what_holds(steps: list[tuple[float, int]], seconds: float) -> None:
    items, now = [], 0.0
    for step, value in steps:
        now += step
        items.append(Stamped(now, value))
    out = run(cooldown(seconds), items)
    assert [o.time for o in out] == [i.time for i in items]
    changes = [i for i in range(1, len(out)) if out[i].value != out[i - 1].value]
    assert all(out[i].value == items[i].value for i in changes)
    assert all(out[b].time >= out[a].time + seconds - 1e-6 for a, b in zip(changes, changes[1:], strict=False))
    for i in range(1, len(out)):
        last = max((c for c in changes if c <= i), default=None)
        if last is None or out[i].time >= out[last].time + seconds:
            assert out[i].value == items[i].value


def test_nan_is_no_change() -> None:
    items = [Stamped(float(t), v) for t, v in enumerate([1.0, math.nan, 2.0])]
    assert [s.value for s in run(cooldown(5), items)] == [1.0, 1.0, 2.0]


def test_time_going_back_does_not_shorten_the_wait() -> None:
    items = [Stamped(10.0, "a"), Stamped(11.0, "b"), Stamped(0.0, "c"), Stamped(12.0, "c"), Stamped(14.0, "c")]
    assert [s.value for s in run(cooldown(3), items)] == ["a", "b", "b", "b", "c"]


def test_a_negative_wait_is_named() -> None:
    with pytest.raises(ValueError, match="seconds=-1"):
        cooldown(-1)
