"""Prometheus metrics of managers: what is counted, what is left out, and how many series there can be."""

import subprocess
import threading
from typing import Any

import pytest
from gearshift.models import Ladder, ModelManager, NoRungFits
from gearshift.pipeline.telemetry import INSTRUMENTS, PrometheusMetrics
from prometheus_client.parser import text_string_to_metric_families
from reactivex import Subject

from tests.models.machine import FOUR, Machine
from tests.models.telemetry.scraping import series
from tests.models.telemetry.shifting import SHORT, Shifting, settle
from tests.waiting import until


def test_it_tells_what_runs_what_was_decided_how_that_ended_and_what_was_answered(
    ladder: Ladder, metrics: PrometheusMetrics
) -> None:
    shifting = Shifting(ladder)
    with shifting.manager, metrics.follow(shifting.manager):
        shifting.turn()
        ended = len(shifting.outcomes)
        kinds = [(outcome.decision.kind, outcome.kind) for outcome in shifting.outcomes]
        assert series(metrics, "gearshift_rung_loaded") == {("large",): 0, ("medium",): 0, ("small",): 1}
        assert series(metrics, "gearshift_rung_desired") == {("large",): 0, ("medium",): 1, ("small",): 0}
        assert series(metrics, "gearshift_state") == {("empty",): 0, ("shifting",): 0, ("ready",): 1}
        told = series(metrics, "gearshift_shift_duration_seconds_count")
        assert told == {pair: kinds.count(pair) for pair in set(kinds)} and ended >= 2
        decided = series(metrics, "gearshift_decisions_total")
        assert decided == {
            (kind, rule, urgency): count
            for (kind, urgency, rule), count in shifting.manager.scaler.counts.items()
        }  # fmt: skip
        replies = series(metrics, "gearshift_replies_total")
        assert replies == {("length", "large"): 1, ("length", "small"): 1, ("failed", "small"): 1}
        requests = series(
            metrics, "gen_ai_server_request_duration_seconds_count", gen_ai_provider_name="gearshift",
            gen_ai_operation_name="chat", gen_ai_request_model="large",
        )  # fmt: skip
        assert requests == {("", "false", "large"): 1, ("", "true", "small"): 1, ("ReplyTimeout", "true", "small"): 1}
        tokens = series(metrics, "gen_ai_client_token_usage_sum", gen_ai_response_model="large")
        assert {key[-1]: value for key, value in tokens.items()} == {"input": 1, "output": 8}
        assert series(metrics, "gearshift_sensor_missing") == {("nvml",): 1}
        shifting.push(shifting.shortage)
        assert series(metrics, "gearshift_sensor_missing") == {("nvml",): 0}


def test_the_numbers_of_a_pool_are_those_of_the_newest_sample(ladder: Ladder, metrics: PrometheusMetrics) -> None:
    machine = Machine(ladder)
    with machine.manager, metrics.follow(machine.manager):
        machine.push(100 << 20)
        ceilings = machine.manager.settings.ceilings("ram", 1000 << 20)
        assert series(metrics, "system_memory_limit_bytes") == {("ram",): 1000 << 20}
        assert series(metrics, "system_memory_usage_bytes") == {("ram", "used"): 100 << 20, ("ram", "free"): 900 << 20}
        assert series(metrics, "system_memory_utilization_ratio") == {("ram", "used"): 0.1}
        assert series(metrics, "gearshift_pool_external_bytes") == {("ram",): 100 << 20}
        assert series(metrics, "gearshift_pool_ceiling_bytes") == {(k, "ram"): v for k, v in ceilings.items()}
        assert series(metrics, "gearshift_pool_time_left_seconds") == {}
        assert series(metrics, "hw_gpu_memory_limit_bytes") == {}


def test_what_is_not_known_has_no_series(ladder: Ladder, metrics: PrometheusMetrics) -> None:
    machine = Machine(ladder)
    with machine.manager, metrics.follow(machine.manager):
        assert series(metrics, "gearshift_sample_age_seconds") == {}
        assert series(metrics, "gearshift_rung_desired") == {}
        machine.push(100 << 20)
        machine.push(None)
        assert series(metrics, "system_memory_usage_bytes") == {}
        assert series(metrics, "gearshift_pool_external_bytes") == {}
        assert series(metrics, "gearshift_samples_total") == {(): 2}


def test_readings_that_are_too_old_to_count_are_told_no_more_but_their_age_is(
    ladder: Ladder, metrics: PrometheusMetrics
) -> None:
    shifting = Shifting(ladder, gap=0.3)
    with shifting.manager, metrics.follow(shifting.manager):
        shifting.push(0)
        until(lambda: series(metrics, "gearshift_pool_external_bytes") == {})
        assert series(metrics, "gearshift_sample_age_seconds")[()] > 0.3
        shifting.push(0)
        assert series(metrics, "gearshift_pool_external_bytes")[("ram",)] == 0


def test_a_manager_that_was_shut_down_has_nothing_loaded(ladder: Ladder, metrics: PrometheusMetrics) -> None:
    machine = Machine(ladder)
    metrics.follow(machine.manager)
    machine.load()
    assert series(metrics, "gearshift_rung_loaded")[("large",)] == 1
    machine.manager.shutdown()
    assert sum(series(metrics, "gearshift_rung_loaded").values()) == 0


def test_every_documented_metric_is_told_and_no_other(ladder: Ladder, metrics: PrometheusMetrics) -> None:
    shifting = Shifting(ladder)
    with shifting.manager, metrics.follow(shifting.manager):
        shifting.turn()
        body, _ = metrics.exposition("application/openmetrics-text")
    told = {line.split()[2] for line in body.decode().splitlines() if line.startswith("# TYPE")}
    filled = {line.partition("{")[0] for line in body.decode().splitlines() if not line.startswith("#")}
    names = {i.prometheus.removesuffix("_total") for i in INSTRUMENTS}
    assert told == names
    for name in names:
        assert filled & {name, f"{name}_total", f"{name}_count"}, name


def test_promtool_finds_nothing_wrong_with_a_scrape(ladder: Ladder, metrics: PrometheusMetrics, promtool: str) -> None:
    shifting = Shifting(ladder)
    with shifting.manager, metrics.follow(shifting.manager):
        shifting.turn()
        body, kind = metrics.exposition()
    assert kind.startswith("text/plain")
    checked = subprocess.run([promtool, "check", "metrics"], input=body, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_labels_take_only_words_of_gearshift_and_names_of_rungs_pools_and_sensors(
    ladder: Ladder, metrics: PrometheusMetrics
) -> None:
    shifting = Shifting(ladder)
    with shifting.manager, metrics.follow(shifting.manager):
        for turn in range(4):
            shifting.turn()
            shifting.manager.respond(f"Question {turn}", f"conversation {turn}", options=SHORT)
            shifting.push_until(0, "large")
            shifting.manager.scaler.initiate_graceful_degradation(f"reason {turn}")
            shifting.host.lose(shifting.manager.rung or "", f"loss {turn}")
        body, _ = metrics.exposition()
    labels = {
        (key, value)
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
        for key, value in sample.labels.items()
        if key != "le"
    }
    words = """
        default ram cuda:0 used free gpu uncorrected low high critical shrink grow memory some full
        large medium small empty shifting ready nvml upgrade downgrade shed planned immediate loaded lost failed skipped
        superseded unloaded wait unload load eos length cancelled chat gearshift true false ReplyTimeout WorkerLost
        input output forecast stalls slow failing asked room recovered fits
    """
    known = {*words.split(), "", "handed over", "wound up", "soon critical", "nothing fits"}
    assert {pair for pair in labels if pair[1] not in known} == set()
    assert len(labels) > 40


def test_errors_of_an_apps_own_are_counted_under_one_name(ladder: Ladder, metrics: PrometheusMetrics) -> None:
    machine = Machine(ladder)

    class Mine(Exception):
        pass

    def refuse(_: str) -> None:
        raise Mine

    with machine.manager, metrics.follow(machine.manager):
        machine.load()
        with pytest.raises(Mine):
            machine.manager.respond("Hi", options=FOUR, on_text=refuse)
    errors = {key[0] for key in series(metrics, "gen_ai_server_request_duration_seconds_count")}
    assert "_OTHER" in errors and "Mine" not in errors


def test_a_reply_that_no_rung_could_write_is_counted_as_failed_by_none(
    ladder: Ladder, metrics: PrometheusMetrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gearshift.models.manager._PATIENCE", 0.1)
    machine = Machine(ladder)
    with machine.manager, metrics.follow(machine.manager):
        machine.push(1000 << 20)
        with pytest.raises(NoRungFits):
            machine.manager.respond("Hi", options=FOUR)
    assert series(metrics, "gearshift_replies_total") == {("failed", ""): 1}


def test_several_managers_are_told_apart_by_their_names(ladder: Ladder, metrics: PrometheusMetrics) -> None:
    one, two = Machine(ladder), Machine(ladder)
    with one.manager, two.manager, metrics.follow(one.manager, "one"), metrics.follow(two.manager, "two"):
        one.load()
        one.manager.respond("Hi", options=FOUR)
        two.push(5)
        two.push(5)
        assert series(metrics, "gearshift_samples_total", gearshift_manager="one") == {(): 1}
        assert series(metrics, "gearshift_samples_total", gearshift_manager="two") == {(): 2}
        assert series(metrics, "gearshift_replies_total", gearshift_manager="two") == {}


def test_after_disposal_it_is_told_no_more_and_followed_again_what_was_counted_goes_on(
    ladder: Ladder, metrics: PrometheusMetrics
) -> None:
    machine = Machine(ladder)
    with machine.manager:
        followed = metrics.follow(machine.manager)
        machine.load()
        machine.manager.respond("Hi", options=FOUR)
        with pytest.raises(ValueError, match="'default' already; dispose of that, or pass another name="):
            metrics.follow(machine.manager)
        followed.dispose()
        followed.dispose()
        machine.manager.respond("Hi", options=FOUR)
        assert series(metrics, "gearshift_pool_external_bytes") == {}
        assert series(metrics, "gearshift_replies_total") == {("length", "large"): 1}
        with metrics.follow(machine.manager):
            machine.push(0)
            machine.manager.respond("Hi", options=FOUR)
            assert series(metrics, "gearshift_pool_external_bytes") == {("ram",): 0}
            assert series(metrics, "gearshift_replies_total") == {("length", "large"): 2}
            assert series(metrics, "gearshift_samples_total") == {(): 2}
            assert sum(series(metrics, "gearshift_decisions_total").values()) == 1


def test_a_scraper_that_is_asked_while_all_goes_on_neither_fails_nor_ends_a_stream(
    ladder: Ladder, metrics: PrometheusMetrics
) -> None:
    shifting = Shifting(ladder)
    seen: list[Any] = []
    with shifting.manager, metrics.follow(shifting.manager):
        shifting.manager.scaler.samples.subscribe(seen.append)
        with shifting.turning():
            for _ in range(200):
                metrics.exposition()
        settle(shifting.manager)
        before = len(seen)
        shifting.push(0)
        until(lambda: len(seen) == before + 1)


def test_what_is_no_manager_is_refused(metrics: PrometheusMetrics, ladder: Ladder) -> None:
    with pytest.raises(TypeError, match="follow takes a ModelManager or a ProactiveScaler, got 'manager'"):
        metrics.follow("manager")  # pyright: ignore[reportArgumentType]
    with Machine(ladder).manager as manager, pytest.raises(ValueError, match="name must not be empty"):
        metrics.follow(manager, "")
    assert metrics.followed == []


def test_two_of_them_in_one_registry_are_refused_and_a_closed_one_makes_room(metrics: PrometheusMetrics) -> None:
    with pytest.raises(ValueError, match="this registry has such metrics already .* pass another registry="):
        PrometheusMetrics(metrics.registry)
    assert b"gearshift_samples_total" in metrics.exposition()[0]
    metrics.close()
    metrics.close()
    assert metrics.exposition()[0] == b""
    PrometheusMetrics(metrics.registry)


def test_a_manager_of_an_apps_own_is_followed_by_its_streams(metrics: PrometheusMetrics, ladder: Ladder) -> None:
    class Own:
        def __init__(self, manager: ModelManager) -> None:
            self.scaler, self.residencies, self.outcomes = manager.scaler, manager.residencies, manager.outcomes
            self.replies: Subject[Any] = Subject()

    machine, told = Machine(ladder), threading.Event()
    machine.manager.outcomes.subscribe(lambda _: told.set())
    with machine.manager, metrics.follow(Own(machine.manager), "own"):
        machine.load()
        assert told.wait(20)
        assert series(metrics, "gearshift_rung_loaded", gearshift_manager="own")[("large",)] == 1
