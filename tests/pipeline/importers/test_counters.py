import pytest
from gearshift.pipeline.importers.counters import busy_fraction, rates


def test_a_counter_that_restarts_has_no_rate_at_that_step() -> None:
    assert rates({0.0: 50.0, 1.0: 60.0, 2.0: 5.0, 3.0: 8.0}) == {0.0: None, 1.0: 10.0, 2.0: None, 3.0: 3.0}


def test_a_missing_value_takes_the_rate_behind_it_along() -> None:
    assert rates({0.0: 1.0, 1.0: None, 2.0: 3.0, 3.0: 4.0}) == {0.0: None, 1.0: None, 2.0: None, 3.0: 1.0}


def test_busy_is_none_where_one_core_is_missing() -> None:
    cores = [{0.0: 0.0, 1.0: 1.0, 2.0: 1.5}, {0.0: 0.0, 1.0: None, 2.0: 1.0}]
    assert busy_fraction(cores, cores=2) == {0.0: None, 1.0: None, 2.0: None}


def test_busy_stays_a_fraction_where_counters_are_rounded() -> None:
    assert busy_fraction([{0.0: 0.0, 1.0: 1.01}], cores=1)[1.0] == 0.0
    assert busy_fraction([{0.0: 0.0, 1.0: 0.25}], cores=1)[1.0] == pytest.approx(0.75)
