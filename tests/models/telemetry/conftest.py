"""A real Prometheus to scrape with, and what lints metrics."""

import os
import shutil

import pytest
from gearshift.pipeline.telemetry import PrometheusMetrics
from prometheus_client import CollectorRegistry

from tests.models.telemetry.scraping import Prometheus


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"no {name} on PATH to scrape with; install Debian's package prometheus")
        pytest.skip(f"no {name} on PATH (Debian's package prometheus)")
    return found


@pytest.fixture(scope="session")
def promtool() -> str:
    return program("promtool")


@pytest.fixture
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Prometheus:
    return Prometheus(program("prometheus"), tmp_path_factory.mktemp("prometheus"))


@pytest.fixture
def metrics() -> PrometheusMetrics:
    return PrometheusMetrics(CollectorRegistry())
