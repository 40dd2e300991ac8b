import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from gearshift.pipeline import Pool, RecordingError
from gearshift.pipeline.importers import import_samples

TIMES = [datetime(2026, 3, 8, 20, 0, second, tzinfo=UTC) for second in (0, 1)]
COLUMNS = {"timestamp": TIMES, "ram.used": [3, None], "ram.total": [9, 9], "name": ["a", "b"]}


def written(path: Path) -> Path:
    pytest.importorskip("polars").DataFrame(COLUMNS).write_parquet(path)
    return path


def test_a_frame_is_read_as_a_table(tmp_path: Path) -> None:
    found = import_samples(written(tmp_path / "a.parquet"))
    assert found.format == "Parquet with named columns"
    assert [s.time for s in found.samples] == [1773000000.0, 1773000001.0]
    assert [s.pools for s in found.samples] == [{"ram": Pool(9, 3)}, {"ram": None}]


def test_columns_of_other_names_are_read(tmp_path: Path) -> None:
    found = import_samples(
        written(tmp_path / "a.parquet"), columns={"cuda:0.used": "ram.used", "cuda:0.total": "ram.total"}
    )
    assert found.samples[0].pools == {"cuda:0": Pool(9, 3)}


def test_a_row_that_cant_be_read_is_told_by_the_line_it_would_be_in_a_csv(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    path = tmp_path / "bad.parquet"
    polars.DataFrame({"time": ["0", "noon"], "used": [1, 2], "total": [9, 9]}).write_parquet(path)
    with pytest.raises(RecordingError, match=r"bad.parquet:3: 'noon' is not a date with a time: 'noon,2,9'"):
        import_samples(path)


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "damaged.parquet"
    path.write_bytes(b"PAR1 and nothing else")
    with pytest.raises(RecordingError, match=r"damaged.parquet:1: (damaged Parquet: .*; write it again|Parquet needs)"):
        import_samples(path)


def without(*libraries: str) -> str:
    return "import sys; " + "".join(f"sys.modules[{name!r}] = None; " for name in libraries)


def run(code: str, path: Path) -> str:
    code += "\nfrom gearshift.pipeline.importers import import_samples\n"
    code += f"print(import_samples({str(path)!r}).samples[0].pools)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return done.stdout + done.stderr


def test_pyarrow_reads_what_polars_would(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    assert "Pool(total=9, used=3, own=0)" in run(without("polars"), written(tmp_path / "a.parquet"))


def test_without_a_library_the_error_says_what_to_install(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1")
    told = run(without("polars", "pyarrow", "pyarrow.parquet"), path)
    assert (
        f"RecordingError: {path}:1: Parquet needs polars or pyarrow to be read; run: pip install 'gearshift[frames]'"
        in told
    )
