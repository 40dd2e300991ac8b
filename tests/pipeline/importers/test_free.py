from pathlib import Path

import pytest
from gearshift.pipeline import Pool, RecordingError
from gearshift.pipeline.importers import import_samples

from tests.pipeline.importers.fixtures import GIB, KIB, MIB, RAM, load, pools


def test_bytes_are_told_by_their_being_whole_kib() -> None:
    assert pools("free/b.txt") == [Pool(RAM, RAM - 13019746304), Pool(RAM, RAM - 11945000960)]
    assert [s.swap_used for s in load("free/b.txt").samples] == [40 * MIB, 50 * MIB]


def test_kib_are_told_by_their_being_whole_pages() -> None:
    assert pools("free/k_lohi_total.txt") == [Pool(RAM, RAM - 12714596 * KIB)]


def test_anything_else_of_a_likely_size_is_mib() -> None:
    assert pools("free/w_m.txt") == [Pool(15921 * MIB, 3506 * MIB), Pool(15921 * MIB, 4530 * MIB)]


def test_units_behind_the_numbers_are_read_and_used_is_the_finest() -> None:
    (sample,) = load("free/h.txt").samples
    assert sample.pools == {"ram": Pool(15 * GIB, 3 * GIB)}
    assert sample.swap_used == 41 * MIB


def test_an_old_free_without_available_counts_free_buffers_and_cache() -> None:
    assert pools("free/old.txt") == [Pool(RAM, RAM - (9703104 + 100000 + 3400000) * KIB)]


@pytest.mark.parametrize("total", ["23", "25276502"])
def test_a_unit_that_cant_be_told_is_asked_for(total: str, tmp_path: Path) -> None:
    path = tmp_path / "g.txt"
    path.write_text(f"        total  used  free  shared  buff/cache  available\nMem:  {total}  1  21  0  1  22\n")
    with pytest.raises(RecordingError, match=rf"g.txt:2: free doesn't say its unit: 'Mem:  {total}.*; pass unit="):
        import_samples(path, interval=1)


def test_a_unit_of_the_caller_counts(tmp_path: Path) -> None:
    path = tmp_path / "g.txt"
    path.write_text("        total  used  free  shared  buff/cache  available\nMem:  23  1  21  0  1  22\n")
    assert import_samples(path, interval=1, unit="GiB").samples[0].pools == {"ram": Pool(23 * GIB, GIB)}


def test_times_come_from_the_interval_or_are_asked_for() -> None:
    assert [s.time for s in load("free/b.txt", interval=0.5).samples] == [0.0, 0.5]
    with pytest.raises(RecordingError, match=r"b.txt:2: no time on this line: 'Mem: .*; pass interval="):
        load("free/b.txt", interval=None)


def test_a_block_that_is_skipped_keeps_its_place_in_time(tmp_path: Path) -> None:
    header = "        total  used  free\n"
    path = tmp_path / "bad.txt"
    path.write_text(
        f"{header}Mem:  1048576  4096  8192\n{header}Mem:  1048576  ?  8192\n{header}Mem:  1048576  4096  8192\n"
    )
    found = import_samples(path, interval=1, on_bad="skip")
    assert ([s.time for s in found.samples], found.skipped) == ([0.0, 2.0], 1)
