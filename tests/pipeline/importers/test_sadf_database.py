from pathlib import Path

import pytest
from gearshift.pipeline import Pool, RecordingError
from gearshift.pipeline.importers import import_samples

from tests.pipeline.importers.fixtures import FOLDER, KIB, RAM, load, pools

NAME = "sadf/sections.csv"


def test_both_forms_of_sysstat_give_the_same_samples() -> None:
    assert load(NAME).samples == load("sadf/many.json").samples


def test_one_line_each_with_epoch_stamps_reads_all_kinds_of_numbers() -> None:
    first, second = load("sadf/one_line_each_epoch.csv").samples
    assert (first.time, second.time) == (1772697600.0, 1772698200.0)
    assert first.pools == {"ram": Pool(RAM, RAM - 11800000 * KIB)}
    assert first.cpu == pytest.approx(0.25)


def test_an_old_sysstat_counts_cache_as_used_and_its_total_is_exact() -> None:
    assert pools("sadf/sysstat_10.csv") == [
        Pool(RAM, (7100000 - 3100000) * KIB),
        Pool(RAM, (8300000 - 3100000) * KIB),
    ]


def test_load_is_none_where_no_restart_tells_the_number_of_cpus(tmp_path: Path) -> None:
    path = tmp_path / "no_restart.csv"
    path.write_text((FOLDER / NAME).read_text().partition("\n")[2])
    assert [s.load for s in import_samples(path).samples] == [None] * 3


def test_a_single_cpu_is_not_the_machine(tmp_path: Path) -> None:
    path = tmp_path / "cpu0.csv"
    path.write_text("\n".join(t for t in (FOLDER / NAME).read_text().splitlines() if "UTC;-1;" not in t) + "\n")
    assert [s.cpu for s in import_samples(path).samples] == [None] * 3


def test_a_moment_whose_line_of_memory_is_skipped_has_a_pool_that_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "lost.csv"
    path.write_text((FOLDER / NAME).read_text().replace("7800000;10600000", "7800000"))
    found = import_samples(path, on_bad="skip")
    assert [s.missing for s in found.samples] == [(), ("ram",), ()]
    assert (found.samples[1].pools, found.skipped) == ({"ram": None}, 1)


def test_a_total_that_nothing_tells_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "idle.csv"
    path.write_text(
        "# hostname;interval;timestamp;kbmemfree;kbavail;kbmemused;%memused;kbbuffers;kbcached\n"
        "attic;1;2026-03-05 08:00:00;900;950;0;0.00;10;40\n"
    )
    with pytest.raises(RecordingError, match=r'idle.csv:2: ram has 972800 bytes free.*; pass totals={"ram": bytes}'):
        import_samples(path)


def test_a_time_that_comes_twice_stays_twice(tmp_path: Path) -> None:
    row = "attic;1;2026-03-05 08:00:00;{};40;50.00\n"
    path = tmp_path / "twice.csv"
    header = "# hostname;interval;timestamp;kbavail;kbmemused;%memused\n"
    path.write_text(header + row.format(30) + row.format(20))
    found = import_samples(path, totals={"ram": 80 * KIB}).samples
    assert [s.pools["ram"] for s in found] == [Pool(80 * KIB, 50 * KIB), Pool(80 * KIB, 60 * KIB)]
    assert found[0].time == found[1].time
