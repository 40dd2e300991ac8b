from pathlib import Path

import pytest
from gearshift.pipeline import RecordingError
from gearshift.pipeline.importers import import_samples

from tests.pipeline.importers.fixtures import FOLDER, load, used


@pytest.mark.parametrize(
    ("name", "expected"),
    [("plain.log", [21.5, 310.25, 655.0]), ("with_io.log", [12.25, 14.0]), ("table.csv", [8.25, 96.0])],
)
def test_real_memory_of_the_process_is_used_in_mib(name: str, expected: list[float]) -> None:
    assert used(f"psrecord/{name}") == expected
    assert load(f"psrecord/{name}").format == "psrecord"


def test_times_are_seconds_since_psrecord_began() -> None:
    assert [(s.time, s.wall) for s in load("psrecord/plain.log").samples] == [(0.0, 0.0), (0.502, 0.0), (1.004, 0.0)]


def test_the_cpu_of_one_process_is_not_the_machines() -> None:
    assert [s.cpu for s in load("psrecord/plain.log").samples] == [None] * 3


def test_the_total_is_asked_for() -> None:
    with pytest.raises(RecordingError, match=r'plain.log:2: ram has 22544384 bytes used.*; pass totals={"ram": bytes}'):
        import_samples(FOLDER / "psrecord/plain.log")


def test_a_line_without_its_columns_is_told(tmp_path: Path) -> None:
    path = tmp_path / "short.log"
    path.write_text((FOLDER / "psrecord/plain.log").read_text() + "  1.506   200.0\n")
    with pytest.raises(RecordingError, match=r"short.log:5: 2 columns where psrecord has at least 4: '1.506   200.0'"):
        import_samples(path, totals={"ram": 1 << 30})
