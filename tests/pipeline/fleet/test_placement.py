from gearshift.pipeline.fleet import merit
from hypothesis import given
from hypothesis import strategies as st

from .drawn import standings, stands


def test_a_node_that_answers_now_comes_before_one_that_does_not_however_good_and_idle() -> None:
    assert merit(stands("small"), 50) > merit(stands("large", ready=False), 0)


def test_a_node_that_told_nothing_yet_comes_last() -> None:
    for standing in (stands("small"), stands("small", ready=False), stands(None)):
        assert merit(standing, 9) >= merit(None, 0)


def test_a_better_rung_is_worth_some_wait_and_no_more() -> None:
    assert merit(stands("large"), 0) > merit(stands("small"), 0) > merit(stands("large"), 1)
    assert merit(stands("large"), 3) > merit(stands("small"), 2)


def test_of_nodes_that_are_as_good_the_one_comes_first_that_will_not_soon_shift() -> None:
    assert merit(stands("small"), 1) > merit(stands("small", roomy=False), 1)


def test_no_line_grows_at_the_roomy_nodes_while_others_are_idle() -> None:
    assert merit(stands("large", roomy=False), 0) > merit(stands("large"), 1)
    assert merit(stands("small", roomy=False), 0) > merit(stands("large"), 1)


@given(standings, st.integers(0, 100), st.integers(1, 100))
def test_a_longer_line_is_never_better(standing, ahead, further) -> None:
    assert merit(standing, ahead + further) <= merit(standing, ahead)
