"""Names: as OpenTelemetry's conventions have them, where they do, and as Prometheus spells them."""

import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from gearshift.pipeline import ProactiveScaler, Settings
from gearshift.pipeline.telemetry import INSTRUMENTS, Instrument, PrometheusMetrics
from gearshift.pipeline.testing import rungs_of, samples_of
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.semconv._incubating import attributes, metrics
from opentelemetry.semconv.schemas import Schemas
from prometheus_client import CollectorRegistry
from reactivex import Subject

KINDS = {"gauge": "_ObservableGauge", "updown": "_UpDownCounter", "counter": "_Counter", "histogram": "_Histogram"}


def conventional() -> dict[str, Any]:
    """The instruments of the conventions, by name, as the package of the conventions makes them."""
    meter = MeterProvider().get_meter("test")
    found = {}
    for module in pkgutil.iter_modules(metrics.__path__):
        content = vars(importlib.import_module(f"{metrics.__name__}.{module.name}"))
        for name in [n for n in content if n.startswith("create_")]:
            arguments = (meter, []) if content[name].__code__.co_argcount == 2 else (meter,)
            made = content[name](*arguments)
            found[made.name] = made
    return found


def conventional_attributes() -> Iterator[str]:
    for package in (attributes, importlib.import_module("opentelemetry.semconv.attributes")):
        for module in pkgutil.iter_modules(package.__path__):
            content = vars(importlib.import_module(f"{package.__name__}.{module.name}"))
            yield from (value for name, value in content.items() if name.isupper() and isinstance(value, str))


def test_the_version_of_the_conventions_is_known() -> None:
    from gearshift.pipeline.telemetry.instruments import CONVENTIONS

    assert CONVENTIONS in {schema.value for schema in Schemas}


def test_whatever_is_not_gearshifts_own_is_as_the_conventions_have_it() -> None:
    theirs, names = conventional(), set(conventional_attributes())
    checked = [i for i in INSTRUMENTS if not i.name.startswith("gearshift.")]
    assert len(checked) > 10
    for instrument in checked:
        made = theirs[instrument.name]
        assert instrument.unit == made.unit, instrument.name
        if instrument.name != "system.memory.utilization":
            assert type(made).__name__ in (KINDS[instrument.kind], "_Gauge"), (instrument.name, type(made))
    for instrument in INSTRUMENTS:
        for name in instrument.attributes:
            assert name.startswith("gearshift.") or name in names, (instrument.name, name)


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda i: i.name)
def test_each_has_a_sentence_a_unit_in_its_spelling_and_labels_that_differ(instrument: Instrument) -> None:
    assert instrument.text.endswith(".") and instrument.text[0].isupper()
    units = {"By": "_bytes", "s": "_seconds", "Cel": "_celsius", "W": "_watts", "By/s": "_bytes_per_second"}
    assert instrument.prometheus.endswith(units.get(instrument.unit, ""))
    assert (instrument.kind == "counter") == instrument.prometheus.endswith("_total")
    assert (instrument.unit == "1" and instrument.kind == "gauge") == instrument.prometheus.endswith("_ratio")
    assert len(set(instrument.labels)) == len(instrument.labels) and "le" not in instrument.labels
    assert bool(instrument.buckets) == (instrument.kind == "histogram") == (list(instrument.buckets) != [])
    assert list(instrument.buckets) == sorted(set(instrument.buckets))


def test_a_scaler_alone_tells_all_but_shifts_and_replies() -> None:
    source: Subject[Any] = Subject()
    scaler = ProactiveScaler(rungs_of(500, 300, 100), Settings(interval=3600.0), source)
    told = PrometheusMetrics(CollectorRegistry())
    with scaler, told.follow(scaler):
        for sample in samples_of([100] * 3):
            source.on_next(sample)
        lines = told.exposition()[0].decode().splitlines()
    assert 'gearshift_samples_total{gearshift_manager="default"} 3.0' in lines
    assert 'gearshift_rung_desired{gearshift_manager="default",gearshift_rung="large"} 1.0' in lines
    assert 'gearshift_rung_loaded{gearshift_manager="default",gearshift_rung="large"} 0.0' in lines
    assert not any(line.startswith(("gearshift_state{", "gearshift_shift_duration", "gen_ai")) for line in lines
                   if not line.startswith("#"))  # fmt: skip


def test_a_rise_has_a_time_left_and_a_slope() -> None:
    source: Subject[Any] = Subject()
    scaler = ProactiveScaler(rungs_of(100), Settings(interval=3600.0), source)
    told = PrometheusMetrics(CollectorRegistry())
    with scaler, told.follow(scaler):
        for sample in samples_of(range(100, 500, 4)):
            source.on_next(sample)
        pool = scaler.analyze_resource_trends().pools["ram"]
        assert pool is not None and pool.slope > 0
        labels = {"gearshift_manager": "default", "gearshift_pool": "ram"}
        left = told.registry.get_sample_value("gearshift_pool_time_left_seconds", labels)
        slope = told.registry.get_sample_value("gearshift_pool_slope_bytes_per_second", labels)
    assert (slope, left) == (pool.slope, (800 - pool.external) / pool.slope)


@pytest.mark.parametrize(
    ("name", "missing"), [("PrometheusMetrics", "prometheus_client"), ("OpenTelemetryMetrics", "opentelemetry")]
)
def test_without_its_package_each_says_what_to_install(name: str, missing: str) -> None:
    code = f"""
import sys
sys.modules[{missing!r}] = None
from gearshift.pipeline.telemetry import dashboard
try:
    from gearshift.pipeline.telemetry import {name}
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    said = done.stdout.strip()
    assert said == f"{name} needs {missing}, which is not installed; run: pip install 'gearshift[metrics]'"


def test_names_that_are_not_there_are_told_as_such() -> None:
    import gearshift.pipeline.telemetry as telemetry

    with pytest.raises(AttributeError, match="has no attribute 'StatsdMetrics'"):
        _ = telemetry.StatsdMetrics
    assert [name for name in telemetry.__all__ if not hasattr(telemetry, name)] == []
