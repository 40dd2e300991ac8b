import getpass
import json
from pathlib import Path

import pytest
from gearshift.models.commands.doctor_findings import Findings
from gearshift.models.commands.doctor_models import ladders

from .command import gearshift, said


def test_it_tells_of_this_machine_and_ends_with_0_where_nothing_is_broken(tmp_path: Path) -> None:
    done = gearshift("doctor", "--json", XDG_CACHE_HOME=str(tmp_path), HF_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["broken"] == []
    assert "GiB" in found["facts"]["RAM under its limit"] and "cpu" in found["facts"]["torch computes on"]
    assert found["facts"]["Python"].startswith("3.")
    assert any("chat models" in wanting["what"] for wanting in found["missing"])
    assert all(wanting["remedy"] for wanting in found["missing"])


def test_what_it_prints_fits_80_columns_and_names_no_user(tmp_path: Path) -> None:
    home = tmp_path / "ada"
    home.mkdir()
    secret = "hf_" + "x" * 30
    done = gearshift("doctor", HOME=str(home), USER="ada", LOGNAME="ada", HF_TOKEN=secret, XDG_CACHE_HOME="")
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "~/.cache/gearshift" in done.stdout
    assert str(home) not in done.stdout and "ada" not in done.stdout.split() and secret not in done.stdout


def test_what_is_needed_and_broken_is_exit_code_1(tmp_path: Path) -> None:
    bad = tmp_path / "tiers.toml"
    bad.write_text("nothing = 1")
    done = gearshift("doctor", "--json", tiers=bad)
    assert done.returncode == 1
    broken = json.loads(done.stdout)["broken"]
    assert [wanting["what"].startswith(str(bad)) for wanting in broken] == [True]
    assert said(done) == "gearshift doctor: 1 of what is needed is broken"


def test_a_ladder_that_cannot_be_used_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gearshift.models.commands.doctor_models.CACHE", tmp_path)
    (tmp_path / "ladder.toml").write_text('[[rung]]\nname = "x"\nsource = "absent"\n')
    found = Findings()
    ladders(found)
    assert "absent" in found.broken[0].what and "correct" in found.broken[0].remedy


@pytest.mark.skipif(getpass.getuser() == "root", reason="root may write anywhere")
def test_a_cache_folder_that_cannot_be_written_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gearshift.models.commands.doctor_models.CACHE", tmp_path / "cache")
    tmp_path.chmod(0o500)
    found = Findings()
    ladders(found)
    assert any("a cache folder that can be written" in wanting.what for wanting in found.missing)
