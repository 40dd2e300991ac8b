"""The same by OpenTelemetry, read back by the SDK: metrics in memory, and a span for each shift."""

import time
from typing import Any

import pytest
from gearshift.models import Ladder
from gearshift.pipeline.telemetry import INSTRUMENTS, OpenTelemetryMetrics, PrometheusMetrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import Histogram, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from tests.models.machine import FOUR, Machine
from tests.models.telemetry.shifting import Shifting, settle


class Kept:
    """OpenTelemetry as an app sets it up, but for what is exported: that is kept."""

    def __init__(self) -> None:
        self._reader, self._spans = InMemoryMetricReader(), InMemorySpanExporter()
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self.metrics = OpenTelemetryMetrics(MeterProvider([self._reader]), tracers)

    def read(self) -> dict[str, Any]:
        """Metrics by name."""
        data = self._reader.get_metrics_data()
        scopes = [scope for each in data.resource_metrics for scope in each.scope_metrics] if data else []
        assert all(scope.schema_url == "https://opentelemetry.io/schemas/1.44.0" for scope in scopes)
        return {metric.name: metric for scope in scopes for metric in scope.metrics}

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self._spans.get_finished_spans())

    @property
    def shifts(self) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name == "gearshift.shift"]


@pytest.fixture
def kept() -> Kept:
    return Kept()


def test_every_metric_has_its_name_and_unit_and_the_numbers_that_prometheus_gets(ladder: Ladder, kept: Kept) -> None:
    shifting, prometheus = Shifting(ladder), PrometheusMetrics(CollectorRegistry())
    with shifting.manager, kept.metrics.follow(shifting.manager), prometheus.follow(shifting.manager):
        shifting.turn()
        told, (body, _) = kept.read(), prometheus.exposition()
    assert set(told) == {instrument.name for instrument in INSTRUMENTS}
    scraped: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(body.decode()):
        for sample in family.samples:
            values = tuple(sorted(filter(None, sample.labels.values())))
            scraped.setdefault(sample.name, {})[values] = sample.value
    for instrument in INSTRUMENTS:
        metric = told[instrument.name]
        assert metric.unit == instrument.unit and metric.description == instrument.text
        points = {
            tuple(sorted(point.attributes.values())): point.sum if isinstance(metric.data, Histogram) else point.value
            for point in metric.data.data_points
        }
        suffix = "_sum" if isinstance(metric.data, Histogram) else ""
        if instrument.name != "gearshift.sample.age":
            assert points == pytest.approx(scraped[instrument.prometheus + suffix]), instrument.name


def test_it_counts_in_the_buckets_that_the_conventions_ask_for(ladder: Ladder, kept: Kept) -> None:
    machine = Machine(ladder)
    with machine.manager, kept.metrics.follow(machine.manager):
        machine.load()
        machine.manager.respond("Hi", options=FOUR)
        settle(machine.manager)
        told = kept.read()
    bounds = {name: told[name].data.data_points[0].explicit_bounds for name in told if name.startswith("gen_ai.")}
    assert bounds["gen_ai.server.request.duration"][:3] == (0.01, 0.02, 0.04)
    assert bounds["gen_ai.server.request.duration"][-1] == 81.92
    assert bounds["gen_ai.server.time_to_first_token"][:3] == (0.001, 0.005, 0.01)
    assert bounds["gen_ai.client.token.usage"][-1] == 67108864


def test_after_disposal_nothing_that_is_read_is_told(ladder: Ladder, kept: Kept) -> None:
    machine = Machine(ladder)
    with machine.manager:
        with kept.metrics.follow(machine.manager):
            machine.load()
            assert "gearshift.pool.external" in kept.read()
        assert [name for name in kept.read() if not name.startswith("gearshift.shift")] == []
        kept.metrics.follow(machine.manager)
        assert "gearshift.rung.loaded" in kept.read()


def test_a_shift_is_a_span_from_its_begin_to_its_end_by_the_wall_clock(ladder: Ladder, kept: Kept) -> None:
    machine = Machine(ladder)
    began = time.time_ns()
    with machine.manager, kept.metrics.follow(machine.manager, "chat"):
        machine.load()
    ended = time.time_ns()
    (outcome,), (span,) = machine.outcomes, kept.shifts
    assert span.start_time is not None and span.end_time is not None
    slack = 1_000_000  # the two clocks are read one after the other
    assert began - slack <= span.start_time <= span.end_time <= ended + slack
    assert span.end_time - span.start_time == pytest.approx(outcome.seconds * 1e9, abs=2)
    assert span.status.status_code is StatusCode.UNSET and span.parent is None
    assert span.attributes == {
        "gearshift.manager": "chat", "gearshift.decision.kind": "upgrade", "gearshift.decision.urgency": "planned",
        "gearshift.decision.rule": "fits", "gearshift.decision.explanation": outcome.decision.explain(),
        "gearshift.rung.target": "large", "gearshift.outcome": "loaded",
    }  # fmt: skip


def test_its_parts_are_spans_within_it_one_after_the_other(ladder: Ladder, kept: Kept) -> None:
    shifting = Shifting(ladder)
    with shifting.manager, kept.metrics.follow(shifting.manager):
        shifting.turn()
    done = [s for s in kept.shifts if (s.attributes or {})["gearshift.outcome"] in ("loaded", "handed over")]
    assert len(done) == len({span.context.trace_id for span in done if span.context is not None}) >= 2
    for shift in done:
        assert shift.context is not None
        parts = [
            span for span in kept.spans if span.parent is not None and span.parent.span_id == shift.context.span_id
        ]
        assert {"gearshift.shift.load", "gearshift.shift.wait", "gearshift.shift.unload"} == {p.name for p in parts}
        times = [shift.start_time, *(at for part in parts for at in (part.start_time, part.end_time)), shift.end_time]
        assert times == sorted(times)  # pyright: ignore[reportArgumentType, reportCallIssue]


def test_a_shift_that_failed_is_an_error_and_says_why(ladder: Ladder, kept: Kept) -> None:
    shifting = Shifting(ladder)
    with shifting.manager, kept.metrics.follow(shifting.manager):
        shifting.push_until(shifting.shortage, "small")
        shifting.fail()
        settle(shifting.manager)
        failed = next(s for s in kept.shifts if (s.attributes or {})["gearshift.outcome"] == "failed")
    assert failed.status.status_code is StatusCode.ERROR
    assert "medium is broken on purpose" in (failed.status.description or "")
    assert failed.attributes is not None and failed.attributes["error.type"] == "failed"


def test_a_rung_that_was_lost_is_an_error_of_its_own(ladder: Ladder, kept: Kept) -> None:
    shifting = Shifting(ladder)
    with shifting.manager, kept.metrics.follow(shifting.manager):
        shifting.push_until(0, "large")
        ended = len(shifting.outcomes)
        shifting.host.lose("large")
        while not any(outcome.lost for outcome in shifting.outcomes[ended:]):
            shifting.push(0)
        settle(shifting.manager)
        (lost,) = (s for s in kept.shifts if (s.attributes or {})["gearshift.outcome"] == "lost")
    assert lost.attributes is not None and lost.attributes["error.type"] == "lost"
    assert lost.start_time == lost.end_time


def test_without_an_sdk_it_does_nothing_and_harms_nothing(ladder: Ladder) -> None:
    machine = Machine(ladder)
    with machine.manager, OpenTelemetryMetrics().follow(machine.manager):
        machine.load()
        assert machine.manager.respond("Hi", options=FOUR).rung == "large"
