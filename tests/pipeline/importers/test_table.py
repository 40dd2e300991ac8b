from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from gearshift.pipeline import Device, Pool, RecordingError
from gearshift.pipeline.importers import import_samples
from hypothesis import given
from hypothesis import strategies as st

from tests.pipeline.importers.fixtures import GIB, MIB, load


def table(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_units_in_the_names_are_read_and_used_is_the_total_less_available() -> None:
    first, second, third = load("table/mib.csv").samples
    assert first.pools == {"ram": Pool(4096 * MIB, 1024 * MIB)}
    assert second.pools == {"ram": Pool(4096 * MIB, 2048 * MIB)}
    assert (third.pools, third.missing) == ({"ram": None}, ("ram",))
    assert (first.swap_used, second.swap_used) == (None, round(10.5 * MIB))


def test_dates_go_before_seconds_from_the_start() -> None:
    first = load("table/mib.csv").samples[0]
    assert first.time == first.wall == 1773000000.5


def test_a_cpu_that_is_no_fraction_is_missing_by_name() -> None:
    first, second, third = load("table/mib.csv").samples
    assert (first.cpu, first.missing) == (0.125, ())
    assert (second.cpu, second.missing) == (None, ("cpu",))
    assert third.cpu is None


def test_an_epoch_that_is_none_leaves_the_seconds_from_the_start(tmp_path: Path) -> None:
    path = table(tmp_path / "e.csv", "t,epoch,used,total\n0.0,1.5,1,9\n0.1,1.6,1,9\n")
    assert [(s.time, s.wall) for s in import_samples(path).samples] == [(0.0, 0.0), (0.1, 0.0)]


def test_semicolons_quotes_and_own_memory_are_read() -> None:
    first, second = load("table/relative.csv").samples
    assert (first.time, first.wall, first.cpu) == (0.0, 0.0, 0.5)
    assert first.pools == {"ram": Pool(4000, 1000, own=250)}
    assert second.pools == {"ram": Pool(4000, 1500, own=250)}


def test_gpus_are_read_by_number_with_their_devices() -> None:
    first = load("table/gpus.csv").samples[0]
    assert first.time == 1775037600.0
    assert first.pools == {"cuda:0": Pool(8 * GIB, 2 * GIB), "cuda:1": Pool(24 * GIB, round(3.5 * GIB))}
    assert first.devices == {"cuda:0": Device(utilisation=0.75, temperature=55.0, power=120.5)}


def test_glances_is_read_by_its_own_names() -> None:
    first = load("table/glances.csv").samples[0]
    assert first.time == 1773086404.0
    assert first.pools == {"ram": Pool(16694378496, 7694378496)}
    assert (first.cpu, first.load, first.swap_used) == (0.375, 0.375, MIB)


def test_columns_of_other_names_are_read_and_then_no_others() -> None:
    first, second = load("table/own_names.csv").samples
    assert first.pools == {"cuda:0": Pool(8 * GIB, round(1500.5 * MIB))}
    assert second.time - first.time == 5
    columns = {"cuda:0.used": "used_mib", "cuda:0.total": "total_mib", "cuda:0.utilisation": "util_pct"}
    first = load("table/mib.csv", columns=columns).samples[0]
    assert first.pools == {"cuda:0": Pool(4096 * MIB, 1024 * MIB)}
    assert (first.time, first.cpu, first.swap_used) == (1773000000.5, None, None)
    assert first.devices == {"cuda:0": Device(utilisation=0.125)}


def test_megabytes_can_mean_two_things_and_are_asked_for() -> None:
    with pytest.raises(RecordingError, match=r"own_names.csv:1: mb of cuda:0.used can mean 1000 or 1024: 'when,card"):
        load("table/own_names.csv", unit=None)


def test_a_list_names_the_columns_of_a_file_without_a_header(tmp_path: Path) -> None:
    path = table(tmp_path / "bare.csv", "1000,50,200\n1001,60,200\n")
    found = import_samples(path, columns=["t", "ram.used", "ram.total"]).samples
    assert [s.pools["ram"] for s in found] == [Pool(200, 50), Pool(200, 60)]


def test_without_a_column_of_times_they_come_from_the_interval_or_are_asked_for(tmp_path: Path) -> None:
    path = table(tmp_path / "n.csv", "ram.used,ram.total\n1,9\n2,9\n")
    assert [s.time for s in import_samples(path, interval=0.5).samples] == [0.0, 0.5]
    with pytest.raises(RecordingError, match=r"n.csv:2: no time on this line: '1,9'; pass interval="):
        import_samples(path)


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(RecordingError, match=r"mib.csv:1: no column 'Used': 't,epoch,.*; pass names as the header"):
        load("table/mib.csv", columns={"ram.used": "Used"})
    with pytest.raises(RecordingError, match=r"mib.csv:1: no column 'when'"):
        load("table/mib.csv", columns={"time": "when", "ram.used": "used_mib"})


def test_a_total_that_no_column_holds_is_asked_for(tmp_path: Path) -> None:
    path = table(tmp_path / "u.csv", "time,used\n0,5\n")
    with pytest.raises(RecordingError, match=r'u.csv:2: ram has 5 bytes used.*: \'0,5\'; pass totals={"ram": bytes}'):
        import_samples(path)
    assert import_samples(path, totals={"ram": 8}).samples[0].pools == {"ram": Pool(8, 5)}


def test_free_memory_is_not_what_a_new_allocation_can_have(tmp_path: Path) -> None:
    path = table(tmp_path / "f.csv", "time,mem_free,mem_total,mem_used\n0,1,9,3\n")
    assert import_samples(path).samples[0].pools == {"ram": Pool(9, 3)}


@pytest.mark.parametrize("stamp", ["1773000000", "1773000000000", "2026-03-08T20:00:00Z", "2026-03-08 21:00:00+01:00"])
def test_seconds_milliseconds_and_dates_are_the_same_moment(stamp: str, tmp_path: Path) -> None:
    path = table(tmp_path / "s.csv", f"timestamp,used,total\n{stamp},1,2\n")
    (sample,) = import_samples(path).samples
    assert sample.time == sample.wall == 1773000000.0


CELLS = {"time": "7", "used_kib": "3", "total_kib": "8", "own_bytes": "1024", "cpu_pct": "50", "note": "x"}


@given(st.permutations(sorted(CELLS)), st.sampled_from(",;\t"))
def test_any_order_of_columns_gives_the_same_sample(order: list[str], delimiter: str) -> None:
    text = delimiter.join(order) + "\n" + delimiter.join(CELLS[name] for name in order) + "\n"
    with TemporaryDirectory() as folder:
        (sample,) = import_samples(table(Path(folder) / "t.csv", text)).samples
    assert (sample.time, sample.cpu, sample.pools) == (7.0, 0.5, {"ram": Pool(8192, 3072, 1024)})


def test_a_utilisation_that_is_no_fraction_is_missing_and_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("t,used,total,busy\n0,1,2,10\n1,1,2,0.5\n")
    columns = {"time": "t", "cuda:0.used": "used", "cuda:0.total": "total", "cuda:0.utilisation": "busy"}
    first, second = import_samples(path, columns=columns, unit="GiB").samples
    assert first.missing == ("cuda:0.utilisation",) and first.devices == {}
    assert second.missing == () and second.devices["cuda:0"].utilisation == 0.5
