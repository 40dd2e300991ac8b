import json
from pathlib import Path
from typing import Any

import pytest
from gearshift.pipeline import Device, Pool, Pressure, RecordingError
from gearshift.pipeline.importers import import_samples

from tests.pipeline.importers.fixtures import FOLDER, MIB, load


def answer(path: Path, *series: tuple[dict[str, str], list[list[Any]]]) -> Path:
    result = [{"metric": metric, "values": values} for metric, values in series]
    path.write_text(json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}))
    return path


def test_gauges_of_a_machine_become_one_sample_for_each_step() -> None:
    first, second, _ = load("prometheus/node.json").samples
    assert (first.time, second.time) == (1772697600.0, 1772697615.0)
    assert first.pools == {"ram": Pool(16694378496, 4694378496)}
    assert (first.swap_used, second.swap_used) == (0, 47479552)
    assert (first.load, second.load) == (0.25, 1.5)


def test_counters_become_rates_from_the_second_step_on() -> None:
    first, second, third = load("prometheus/node.json").samples
    assert (first.cpu, second.cpu) == (None, pytest.approx(1 - 9 / 30))
    assert third.cpu == pytest.approx(1 - (12 + 3 + 3) / 30)
    assert (first.swap_in, second.swap_in, third.swap_in) == (None, 0.0, 10 * 4096)
    assert (first.pressure, third.pressure) == ({}, {"memory": Pressure(0.2, 0.1)})


def test_nan_and_infinity_are_missing_readings() -> None:
    third = load("prometheus/node.json").samples[2]
    assert (third.pools, third.missing, third.load) == ({"ram": None}, ("ram",), None)


def test_series_of_several_gpus_are_told_apart_by_their_label() -> None:
    first, second = load("prometheus/dcgm_pretty.json").samples
    total = (2000 + 22100 + 476) * MIB
    assert first.pools == {"cuda:0": Pool(total, 2476 * MIB), "cuda:1": Pool(total, 480 * MIB)}
    assert first.devices["cuda:0"] == Device(pytest.approx(0.35), 41.0, 60.5, 476 * MIB)
    assert second.devices["cuda:0"].power is None


def test_answers_behind_each_other_are_read_as_one() -> None:
    assert [s.pools["ram"] for s in load("prometheus/two_machines.json").samples] == [
        Pool(4000000000, 3000000000),
        Pool(4000000000, 3100000000),
    ]


@pytest.mark.parametrize("instance", ["a", "a:9100"])
def test_an_instance_is_picked_with_or_without_its_port(instance: str) -> None:
    first = load("prometheus/two_machines.json", instance=instance).samples[0]
    assert first.pools == {"ram": Pool(8000000000, 2000000000)}


def test_several_machines_are_told_by_name() -> None:
    with pytest.raises(RecordingError, match=r":1: series of several machines: 'a:9100, b:9100'; .* instance='a:9100'"):
        load("prometheus/two_machines.json", instance=None)
    with pytest.raises(RecordingError, match=r"no series of instance 'c': 'a:9100, b:9100'; pass one of those shown"):
        load("prometheus/two_machines.json", instance="c")


def test_two_series_for_one_thing_are_told(tmp_path: Path) -> None:
    slices = [({"__name__": "DCGM_FI_DEV_FB_USED", "gpu": "0", "GPU_I_ID": n}, [[1.0, "5"]]) for n in ("1", "2")]
    with pytest.raises(RecordingError, match=r'a second series for cuda:0.used, .*"GPU_I_ID": "2".*narrow the query'):
        import_samples(answer(tmp_path / "mig.json", *slices))


def test_metrics_of_other_names_are_read_by_columns(tmp_path: Path) -> None:
    path = answer(
        tmp_path / "own.json",
        ({"__name__": "container_memory_working_set_bytes"}, [[1772697600, "300"], [1772697660, "400"]]),
        ({"__name__": "container_spec_memory_limit_bytes"}, [[1772697600, "1000"]]),
        ({"__name__": "node_load1"}, [[1772697600, "7"]]),
    )
    columns = {"ram.used": "container_memory_working_set_bytes", "ram.total": "container_spec_memory_limit_bytes"}
    first, second = import_samples(path, columns=columns).samples
    assert (first.pools, first.load) == ({"ram": Pool(1000, 300)}, None)
    assert (second.pools, second.missing) == ({"ram": None}, ("ram",))


def test_metrics_that_are_not_known_are_listed(tmp_path: Path) -> None:
    path = answer(tmp_path / "other.json", ({"__name__": "up"}, [[1.0, "1"]]), ({}, [[1.0, "1"]]))
    with pytest.raises(
        RecordingError, match=r"no metric that is known: '\(without a name\), up'; query metrics by name"
    ):
        import_samples(path)


def test_a_value_that_is_no_number_is_told_and_missing_where_bad_ones_are_skipped(tmp_path: Path) -> None:
    path = answer(
        tmp_path / "bad.json",
        ({"__name__": "node_memory_MemTotal_bytes"}, [[1.0, "9"], [2.0, "9"]]),
        ({"__name__": "node_memory_MemAvailable_bytes"}, [[1.0, "4"], [2.0, "four"]]),
    )
    told = r"bad.json:1: 'four' is not a number: 'node_memory_MemAvailable_bytes 2.0 four'; mend"
    with pytest.raises(RecordingError, match=told):
        import_samples(path)
    found = import_samples(path, on_bad="skip")
    assert ([s.pools["ram"] for s in found.samples], found.skipped) == ([Pool(9, 5), None], 1)


def test_an_error_of_prometheus_is_handed_on() -> None:
    with pytest.raises(RecordingError, match=r"Prometheus answered error: end timestamp must not be before"):
        import_samples(FOLDER / "prometheus/refused.json")


def test_an_answer_for_one_moment_is_told() -> None:
    with pytest.raises(RecordingError, match=r"an answer for one moment: .*; ask /api/v1/query_range"):
        import_samples(FOLDER / "prometheus/one_moment.json")


def test_an_answer_cut_short_is_told_with_the_place(tmp_path: Path) -> None:
    path = tmp_path / "cut.json"
    path.write_text((FOLDER / "prometheus/node.json").read_text()[:500])
    with pytest.raises(RecordingError, match=r"cut.json:1: damaged JSON: .*; save the answer again"):
        import_samples(path)
