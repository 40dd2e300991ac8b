"""Grafana's dashboard: each query on it is put to a real Prometheus, which has scraped a manager that really shifts."""

import math
import re
import time
from collections.abc import Iterator
from typing import Any

from gearshift.models import Ladder
from gearshift.pipeline.telemetry import INSTRUMENTS, PrometheusMetrics, dashboard
from prometheus_client import CollectorRegistry

from tests.models.telemetry.scraping import DEADLINE, Prometheus
from tests.models.telemetry.shifting import Shifting

SUFFIX = re.compile(r"_(bucket|count|sum)$")


def queries() -> list[str]:
    board = dashboard()
    targets = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    return [*targets, *(each["expr"] for each in board["annotations"]["list"] if "expr" in each)]


def filled(expr: str) -> str:
    """As Grafana sends it, with all instances, managers and pools chosen."""
    for name, value in {
        "__rate_interval": "30s", "__range": "60s", "instance": ".*", "manager": ".*", "pool": ".*",
    }.items():  # fmt: skip
        expr = re.sub(rf"\${name}\b", value, expr)
    assert "$" not in expr, expr
    return expr


def named(expr: str) -> set[str]:
    return {SUFFIX.sub("", name) for name in re.findall(r"\b(?:gearshift|system|hw|gen_ai)_\w+(?=[{|\"\[])", expr)}


def numbers(result: list[dict[str, Any]]) -> Iterator[float]:
    return (float(series["value"][1]) for series in result)


def test_every_query_of_the_dashboard_is_answered_by_a_prometheus_that_scrapes_a_manager_which_shifts(
    ladder: Ladder, prometheus: Prometheus
) -> None:
    shifting, metrics = Shifting(ladder), PrometheusMetrics(CollectorRegistry())
    open_queries = {filled(expr) for expr in queries()}
    assert len(open_queries) > 30
    with shifting.manager, metrics.follow(shifting.manager), prometheus.scraping(metrics), shifting.turning():
        ends = time.monotonic() + DEADLINE
        while open_queries and time.monotonic() < ends:
            open_queries = {
                expr for expr in open_queries if all(map(math.isnan, numbers(prometheus.query(expr))))
            }  # fmt: skip
        (up,) = numbers(prometheus.query('sum(up{job="gearshift"})'))
    assert up == 1
    assert open_queries == set()


def test_its_variables_find_what_was_scraped(ladder: Ladder, prometheus: Prometheus) -> None:
    shifting, metrics = Shifting(ladder), PrometheusMetrics(CollectorRegistry())
    found = {}
    with shifting.manager, metrics.follow(shifting.manager, "chat"), prometheus.scraping(metrics):
        for variable in dashboard()["templating"]["list"][1:]:
            series, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["definition"]).groups()  # pyright: ignore[reportOptionalMemberAccess]
            ends = time.monotonic() + DEADLINE
            while not (result := prometheus.query(filled(series))) and time.monotonic() < ends:
                shifting.push(0)
            found[variable["name"]] = {each["metric"].get(label) for each in result}
    assert found["manager"] == {"chat"} and found["pool"] == {"ram", "cuda:0"}
    (instance,) = found["instance"]
    assert instance.startswith("127.0.0.1:")


def test_every_metric_on_the_dashboard_exists_and_every_metric_is_on_it() -> None:
    there = {SUFFIX.sub("", instrument.prometheus) for instrument in INSTRUMENTS}
    shown = set().union(*map(named, queries()))
    assert shown - there == set()
    assert there - shown == set()


def test_it_can_be_imported_by_grafana_10_and_later() -> None:
    board = dashboard()
    assert board["id"] is None and board["schemaVersion"] >= 38 and board["uid"] == "gearshift"
    (wanted,) = board["__inputs"]
    assert (wanted["name"], wanted["type"], wanted["pluginId"]) == ("DS_PROMETHEUS", "datasource", "prometheus")
    variables = {each["name"]: each for each in board["templating"]["list"]}
    assert list(variables) == ["datasource", "instance", "manager", "pool"]
    assert variables["datasource"]["current"]["value"] == "${DS_PROMETHEUS}"
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        if panel["type"] != "row":
            assert panel["description"] and panel["datasource"]["uid"] == "${datasource}", panel["title"]
            assert all(target["legendFormat"] for target in panel["targets"]), panel["title"]
    used = {panel["type"] for panel in panels if panel["type"] != "row"}
    assert used == {each["id"] for each in board["__requires"] if each["type"] == "panel"}


def test_no_two_panels_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + i, at["y"] + j) for i in range(at["w"]) for j in range(at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
