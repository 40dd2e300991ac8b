import json
from pathlib import Path

import pytest
from gearshift.pipeline import Pool, Pressure, RecordingError
from gearshift.pipeline.importers import import_samples

from tests.pipeline.importers.fixtures import FOLDER, KIB, RAM, load, pools

NAME = "sadf/many.json"


def test_every_entry_is_a_sample_at_its_time() -> None:
    found = load(NAME)
    assert found.format == "sadf -j"
    assert [s.time for s in found.samples] == [1772697600.0, 1772698200.0, 1772698800.0]
    assert [s.wall for s in found.samples] == [s.time for s in found.samples]
    assert [s.interval for s in found.samples] == [600.0] * 3


def test_cpu_load_swap_and_stalls_are_read() -> None:
    second = load(NAME).samples[1]
    assert second.cpu == pytest.approx(0.705)
    assert second.load == pytest.approx(3.1 / 4)
    assert second.swap_used == 1050624 * KIB
    assert second.swap_in == 12.5 * 4096
    assert second.pressure == {"memory": Pressure(0.0425, 0.0175)}


def test_the_total_is_derived_from_all_percentages_together_within_a_permille() -> None:
    totals = {pool.total for pool in pools(NAME) if pool}
    assert len(totals) == 1
    assert totals.pop() == pytest.approx(RAM, rel=2e-4)


def test_the_total_is_exact_where_every_part_of_it_is_shown() -> None:
    assert pools("sadf/memory_all.json") == [Pool(RAM, RAM - 11800000 * KIB), Pool(RAM, RAM - 10600000 * KIB)]


def test_a_total_of_the_caller_goes_before_one_that_is_derived() -> None:
    assert pools(NAME, totals={"ram": RAM})[2] == Pool(RAM, RAM - 10350000 * KIB)


def test_what_was_not_recorded_is_none() -> None:
    first = load("sadf/memory_all.json").samples[0]
    assert (first.cpu, first.load, first.swap_used, first.swap_in, first.pressure) == (None, None, None, None, {})


def test_an_entry_that_cant_be_read_is_told_by_its_line_and_can_be_skipped(tmp_path: Path) -> None:
    text = (FOLDER / NAME).read_text().replace('"memfree": 7800000', '"memfree": "many"')
    path = tmp_path / "bad.json"
    path.write_text(text)
    line = next(n for n, t in enumerate(text.splitlines(), 1) if '"08:10:00"' in t)
    with pytest.raises(RecordingError, match=rf'bad.json:{line}: .*: \'"timestamp": .*"08:10:00".*; mend or remove'):
        import_samples(path)
    found = import_samples(path, on_bad="skip")
    assert ([s.time for s in found.samples], found.skipped) == ([1772697600.0, 1772698800.0], 1)


def test_a_file_cut_in_its_middle_is_told_by_the_line_where_it_ends(tmp_path: Path) -> None:
    text = (FOLDER / NAME).read_text()
    path = tmp_path / "cut.json"
    path.write_text(text[: text.index('"08:20:00"')])
    with pytest.raises(RecordingError, match=r"cut.json:\d+: damaged JSON: .*; run sadf again"):
        import_samples(path)


def test_json_on_a_single_line_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps(json.loads((FOLDER / NAME).read_text())))
    assert import_samples(path) == load(NAME)


def test_sysstat_without_its_entries_is_told(tmp_path: Path) -> None:
    path = tmp_path / "none.json"
    path.write_text('{"sysstat": {"version": 1}}')
    with pytest.raises(RecordingError, match="JSON of sysstat without hosts"):
        import_samples(path)
