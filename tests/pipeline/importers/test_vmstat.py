from pathlib import Path

import pytest
from gearshift.pipeline import Pool, RecordingError
from gearshift.pipeline.importers import import_samples

from tests.pipeline.importers.fixtures import FOLDER, KIB, MIB, RAM, load, pools


def test_used_is_the_total_less_free_buffers_and_cache() -> None:
    assert pools("vmstat/t.txt")[0] == Pool(RAM, RAM - (5120000 + 40000 + 1840000) * KIB)
    assert pools("vmstat/t_w.txt")[0] == pools("vmstat/t.txt")[0]


def test_active_and_inactive_instead_of_cache_leave_all_that_is_not_free_as_used() -> None:
    assert pools("vmstat/t_a.txt") == [Pool(RAM, RAM - 5120000 * KIB)]


def test_times_are_dates_without_a_zone_so_utc() -> None:
    found = load("vmstat/t.txt").samples
    assert [s.time for s in found] == [1770113472.0, 1770113473.0, 1770113474.0, 1770113475.0]
    assert found[0].wall == found[0].time


def test_the_first_reading_is_a_mean_since_boot_and_has_no_cpu_and_no_swap_in() -> None:
    found = load("vmstat/t.txt").samples
    assert [s.cpu for s in found] == [None, pytest.approx(0.65), pytest.approx(0.75), pytest.approx(0.5)]
    assert [s.swap_in for s in found] == [None, 0.0, 50 * KIB, 0.0]
    assert [s.swap_used for s in found] == [2048 * KIB, 2048 * KIB, 4096 * KIB, 4096 * KIB]


def test_the_unit_of_capital_s_comes_from_the_caller() -> None:
    found = load("vmstat/S_M.txt").samples
    assert [s.pools["ram"] for s in found] == [Pool(RAM, RAM - 6840 * MIB), Pool(RAM, RAM - 6740 * MIB)]
    assert (found[1].swap_used, found[1].swap_in) == (8 * MIB, 2 * MIB)


def test_without_times_they_come_from_the_interval_or_are_asked_for() -> None:
    assert [(s.time, s.interval) for s in load("vmstat/S_M.txt").samples] == [(0.0, 5.0), (5.0, 5.0)]
    with pytest.raises(RecordingError, match=r"S_M.txt:3: no time on this line: '1  0 .*; pass interval="):
        load("vmstat/S_M.txt", interval=None)


def test_the_total_is_asked_for() -> None:
    with pytest.raises(RecordingError, match=r't.txt:3: ram has 7168000000 bytes free.*; pass totals={"ram": bytes}'):
        import_samples(FOLDER / "vmstat/t.txt")


def test_a_total_smaller_than_what_is_free_is_told() -> None:
    with pytest.raises(
        RecordingError, match=r"t.txt:3: ram with 1000 bytes in all, of them -7167999000 used, can't be"
    ):
        load("vmstat/t.txt", totals={"ram": 1000})


def test_a_line_with_a_word_for_a_number_is_told(tmp_path: Path) -> None:
    path = tmp_path / "bad.txt"
    path.write_text((FOLDER / "vmstat/t_w.txt").read_text().replace("5010000", "-------"))
    with pytest.raises(RecordingError, match=r"bad.txt:4: '-------' is not a number: '2    0"):
        import_samples(path, totals={"ram": RAM})
