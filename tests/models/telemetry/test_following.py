"""Who can be followed, under which names, and that no counter falls."""

from typing import Any

import pytest
from gearshift.models import Ladder
from gearshift.pipeline import ProactiveScaler, Settings
from gearshift.pipeline.telemetry import PrometheusMetrics
from gearshift.pipeline.testing import rungs_of
from reactivex import Subject

from tests.models.machine import Machine
from tests.models.telemetry.scraping import series


def test_counters_of_a_name_go_on_where_another_manager_takes_it(ladder: Ladder, metrics: PrometheusMetrics) -> None:
    for manager in (1, 2, 3):
        machine = Machine(ladder)
        with machine.manager, metrics.follow(machine.manager):
            machine.load()
            assert series(metrics, "gearshift_samples_total") == {(): manager}
            assert sum(series(metrics, "gearshift_decisions_total").values()) == manager


@pytest.mark.parametrize(
    ("name", "error", "told"),
    [(5, TypeError, "name must be a str, got name=5"), ("\ud800", ValueError, r"UTF-8 .* got name='\\ud800'")],
)
def test_a_name_that_no_scrape_could_tell_is_refused_at_once(
    metrics: PrometheusMetrics, name: Any, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        metrics.follow(ProactiveScaler(rungs_of(1), Settings(), Subject()), name)
    metrics.exposition()


def test_an_object_that_has_only_some_of_the_streams_is_refused_and_takes_no_name(metrics: PrometheusMetrics) -> None:
    class App:
        scaler = ProactiveScaler(rungs_of(1), Settings(), Subject())
        residencies = scaler.samples

    for _ in range(2):
        with pytest.raises(TypeError, match="has no outcomes, no replies; follow its .scaler instead"):
            metrics.follow(App())  # pyright: ignore[reportArgumentType]
    assert metrics.followed == []
