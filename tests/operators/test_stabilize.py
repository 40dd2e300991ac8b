import math
from fractions import Fraction

import numpy as np
import pytest
from gearshift.operators import Stamped, stabilize
from gearshift.operators.rolling import RollingExtreme
from gearshift.operators.stabilize import Stabilizer
from gearshift.operators.testing import marble, run, series
from hypothesis import given
from hypothesis import strategies as st

STEPS = st.lists(st.tuples(st.floats(0, 5), st.integers(-5, 5)), max_size=60)


def stamped(steps: list[tuple[float, int]]) -> list[Stamped[int]]:
    items, now = [], 0.0
    for step, value in steps:
        now += step
        items.append(Stamped(now, value))
    return items


def test_a_rise_waits_until_the_whole_window_allowed_it_and_a_fall_does_not() -> None:
    values = {str(i): i for i in range(5)}
    source = "21222232"
    expect = "21111222"  # the 1 at second 1 leaves the window of 3 s after second 4
    assert marble(run(stabilize(up=3, down=0), series(source, values)), len(source)) == expect


@given(STEPS, st.floats(0, 20), st.floats(0, 20))
def test_equals_a_brute_force_window(steps: list[tuple[float, int]], up: float, down: float) -> None:
    items = stamped(steps)
    expect, out = [], None
    for i, item in enumerate(items):
        u = min(x.value for x in items[: i + 1] if x.time >= item.time - up)
        d = max(x.value for x in items[: i + 1] if x.time >= item.time - down)
        out = item.value if out is None else u if out < u else d if out > d else out
        expect.append(Stamped(item.time, out))
    assert run(stabilize(up=up, down=down), items) == expect


@given(STEPS, st.floats(0, 20))
def test_rolling_extremes_equal_numpy(steps: list[tuple[float, int]], seconds: float) -> None:
    items = stamped(steps)
    low, high = RollingExtreme[int](seconds, largest=False), RollingExtreme[int](seconds, largest=True)
    times, values = np.array([i.time for i in items]), np.array([i.value for i in items])
    for i, item in enumerate(items):
        kept = values[: i + 1][times[: i + 1] >= item.time - seconds]
        assert (low.update(item.value, item.time), high.update(item.value, item.time)) == (kept.min(), kept.max())


def test_follows_the_horizontal_pod_autoscaler_when_something_else_scales() -> None:
    stable = Stabilizer[int](up=0, down=300)
    assert [stable.update(5, 0), stable.update(3, 100)] == [5, 5]
    assert stable.update(3, 150, current=8) == 5  # someone scaled to 8: down to the largest of the window at once
    assert stable.update(3, 200, current=2) == 3
    assert stable.update(3, 301) == 3


def test_orders_anything_that_has_an_order() -> None:
    words = [Stamped(float(t), w) for t, w in enumerate(["large", "tiny", "large", "small"])]
    assert [s.value for s in run(stabilize(up=1, down=0), words)] == ["large", "large", "large", "large"]
    thirds = [Stamped(float(t), Fraction(n, 3)) for t, n in enumerate((2, 1, 2, 2))]
    assert [s.value for s in run(stabilize(up=1, down=0), thirds)] == [Fraction(n, 3) for n in (2, 1, 1, 2)]


def test_nan_repeats_the_output_and_infinity_counts() -> None:
    items = [Stamped(float(t), v) for t, v in enumerate([2.0, math.nan, -math.inf, math.nan, 3.0])]
    assert [s.value for s in run(stabilize(up=1, down=0), items)] == [2.0, 2.0, -math.inf, -math.inf, 3.0]


def test_a_current_value_that_is_no_number_is_ignored_and_any_other_is_gone_on_from() -> None:
    stable = Stabilizer[float](up=0, down=300)
    assert [stable.update(5, 0), stable.update(5, 1, current=math.nan), stable.update(5, 2)] == [5, 5, 5]
    assert [stable.update(math.nan, 3, current=4), stable.update(5, 4)] == [4, 5]


def test_time_going_back_counts_as_the_newest() -> None:
    items = [Stamped(0.0, 1), Stamped(6.0, 1), Stamped(8.0, 3), Stamped(2.0, 2), Stamped(12.0, 3)]
    assert [s.value for s in run(stabilize(up=5, down=0), items)] == [1, 1, 1, 1, 2]


def test_initial_holds_until_a_window_allows_more() -> None:
    assert [s.value for s in run(stabilize(up=0, down=9, initial=2), series("13", {"1": 1, "3": 3}))] == [1, 3]


def test_an_initial_value_without_an_order_is_named() -> None:
    with pytest.raises(ValueError, match="initial must be a value that has an order, got initial=nan"):
        stabilize(up=1, down=1, initial=math.nan)


@pytest.mark.parametrize(("up", "down", "message"), [(-3, 0, "up=-3"), (0, math.nan, "down=nan")])
def test_a_bad_window_is_named(up: float, down: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        stabilize(up=up, down=down)
