import math

import pytest
from gearshift.operators import Stamped, debounce

from tests.marbles import marble, run, series


@pytest.mark.parametrize(
    ("source", "expect"),
    [
        ("FFFTFTTTTFFF", "--F----T---F"),
        ("FTFTFTFTFTFT", "------------"),
        ("F-----------", "------------"),
        ("F----F------", "-----F------"),
    ],
)
def test_a_value_counts_once_it_has_lasted_two_seconds(source: str, expect: str) -> None:
    assert marble(run(debounce(seconds=2), series(source)), len(source)) == expect


def test_zero_seconds_passes_every_change_and_no_repetition() -> None:
    assert marble(run(debounce(seconds=0), series("aabba")), 5) == "a-b-a"


def test_time_going_back_does_not_shorten_a_wait() -> None:
    items = [Stamped(10.0, "a"), Stamped(3.0, "b"), Stamped(11.0, "b"), Stamped(12.0, "b")]
    assert run(debounce(seconds=2), items) == [Stamped(12.0, "b")]


def test_nan_never_lasts() -> None:
    assert run(debounce(seconds=1), [Stamped(float(t), math.nan) for t in range(5)]) == []


def test_a_negative_wait_is_named() -> None:
    with pytest.raises(ValueError, match="seconds=-1"):
        debounce(seconds=-1)
