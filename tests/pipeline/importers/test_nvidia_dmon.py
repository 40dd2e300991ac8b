from pathlib import Path

import pytest
from gearshift.pipeline import Device, Pool, RecordingError
from gearshift.pipeline.importers import import_samples

from tests.pipeline.importers.fixtures import FOLDER, GIB, load, used


def test_rows_of_all_gpus_are_one_sample_and_repeated_headers_are_passed_over() -> None:
    first, _, third = load("dmon/plain.txt").samples
    assert list(first.pools) == list(third.pools) == ["cuda:0", "cuda:1"]
    assert used("dmon/plain.txt", "cuda:0") == [912, 6420, 6512]
    assert first.devices["cuda:0"] == Device(utilisation=0.12, temperature=41.0, power=34.0)


def test_a_dash_is_a_missing_reading() -> None:
    second = load("dmon/plain.txt").samples[1]
    assert second.pools["cuda:1"] is None
    assert second.missing == ("cuda:1",)
    assert second.devices["cuda:1"] == Device(temperature=35.0, power=20.0)


def test_without_times_they_come_from_the_interval_or_are_asked_for() -> None:
    assert [(s.time, s.wall) for s in load("dmon/plain.txt").samples] == [(0.0, 0.0), (1.0, 0.0), (2.0, 0.0)]
    with pytest.raises(RecordingError, match=r"plain.txt:3: no time on this line: .*; pass interval= \(seconds"):
        load("dmon/plain.txt", interval=None)


def test_times_of_day_count_from_the_first_line_and_over_midnight() -> None:
    found = load("dmon/over_midnight.txt").samples
    assert [(s.time, s.wall) for s in found] == [(0.0, 0.0), (1.0, 0.0), (2.0, 0.0)]
    assert found[0].devices == {"cuda:0": Device(utilisation=0.31, temperature=47.0, power=61.0)}


def test_dates_and_times_are_seconds_since_1970() -> None:
    found = load("dmon/date_and_time.txt").samples
    assert [s.time for s in found] == [s.wall for s in found] == [1773124200.0, 1773124201.0]


def test_columns_without_memory_give_devices_without_pools() -> None:
    found = load("dmon/date_and_time.txt").samples
    assert [s.pools for s in found] == [{}, {}]
    assert found[1].devices == {"cuda:0": Device(utilisation=0.64, temperature=44.0, power=77.0)}


def test_the_total_is_asked_for_where_memory_is_shown() -> None:
    with pytest.raises(RecordingError, match=r'cuda:0 has 2422210560 bytes used.*; pass totals={"cuda:0": bytes}'):
        import_samples(FOLDER / "dmon/over_midnight.txt")


def test_a_line_with_a_column_too_few_is_told(tmp_path: Path) -> None:
    path = tmp_path / "short.txt"
    path.write_text("# gpu   pwr    fb\n# Idx     W    MB\n    0    50\n")
    with pytest.raises(RecordingError, match=r"short.txt:3: 2 columns where dmon's header names 3: '0    50'"):
        import_samples(path)


def test_commas_between_columns_read_the_same(tmp_path: Path) -> None:
    path = tmp_path / "csv.txt"
    path.write_text("#gpu, pwr, fb\n#Idx, W, MB\n0, 50, 1024\n")
    (sample,) = import_samples(path, interval=1, totals={"cuda:0": 8 * GIB}).samples
    assert sample.pools == {"cuda:0": Pool(8 * GIB, GIB)}
