import pytest
from gearshift.operators import Stamped, stabilize
from hypothesis import given
from hypothesis import strategies as st

from tests.marbles import marble, run, series


def test_a_rise_waits_until_the_whole_window_allowed_it_and_a_fall_does_not() -> None:
    values = {str(i): i for i in range(5)}
    source = "21222232"
    expect = "21111222"  # the 1 at second 1 leaves the window of 3 s after second 4
    assert marble(run(stabilize(up=3, down=0), series(source, values)), len(source)) == expect


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(-5, 5)), max_size=60), st.floats(0, 20), st.floats(0, 20))
def test_equals_a_brute_force_window(steps: list[tuple[float, int]], up: float, down: float) -> None:
    items, now = [], 0.0
    for step, value in steps:
        now += step
        items.append(Stamped(now, value))
    expect, out = [], None
    for i, item in enumerate(items):
        u = min(x.value for x in items[: i + 1] if x.time >= item.time - up)
        d = max(x.value for x in items[: i + 1] if x.time >= item.time - down)
        out = item.value if out is None else u if out < u else d if out > d else out
        expect.append(Stamped(item.time, out))
    assert run(stabilize(up=up, down=down), items) == expect


def test_initial_holds_until_a_window_allows_more() -> None:
    assert [s.value for s in run(stabilize(up=0, down=9, initial=2), series("13", {"1": 1, "3": 3}))] == [1, 3]


def test_a_negative_window_is_named() -> None:
    with pytest.raises(ValueError, match="up=-3"):
        stabilize(up=-3, down=0)
