from pathlib import Path

import pytest
from gearshift.pipeline.probes.files import KeptFile


def test_is_read_anew_each_time(tmp_path: Path) -> None:
    path = tmp_path / "usage"
    path.write_text("5\n")
    file = KeptFile(path)
    assert (file.read(), file.number()) == ("5\n", 5)
    path.write_text("-12\n")
    assert file.number() == -12
    file.close()
    assert file.number() == -12


def test_what_is_absent_or_no_number_is_none(tmp_path: Path) -> None:
    assert KeptFile(tmp_path / "absent").read() is None
    (tmp_path / "limit").write_text("max\n")
    assert KeptFile(tmp_path / "limit").number() is None
    assert KeptFile(tmp_path / "limit" / "below").read() is None


def test_what_fails_is_told_and_opened_again(tmp_path: Path) -> None:
    file = KeptFile(tmp_path / "usage")
    (tmp_path / "usage").mkdir()
    with pytest.raises(IsADirectoryError):
        file.read()
    (tmp_path / "usage").rmdir()
    (tmp_path / "usage").write_text("7")
    assert file.number() == 7
