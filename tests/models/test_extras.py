from configparser import ConfigParser
from pathlib import Path

import pytest
from gearshift.models.commands import doctor_machine
from gearshift.models.commands.doctor_findings import Findings
from gearshift.models.extras import PURPOSES, brought, how_to_get, needed

ROOT = Path(__file__).parents[2]
OURS = {"dev", "bench", "lint"}

METADATA = """Metadata-Version: 2.4
Name: shelf
Version: 1.0
Requires-Dist: torch>=2
Requires-Dist: winonly; sys_platform == "win32"
Provides-Extra: gpu
Requires-Dist: bitsandbytes>=1; extra == "gpu"
Requires-Dist: torchao; extra == "gpu"
Provides-Extra: zstd
Requires-Dist: backports.zstd>=1; python_version < "3.0" and extra == "zstd"
"""


def declared() -> ConfigParser:
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", "utf-8")
    return config


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "shelf-1.0.dist-info").mkdir()
    (tmp_path / "shelf-1.0.dist-info" / "METADATA").write_text(METADATA)
    monkeypatch.syspath_prepend(tmp_path)
    return "shelf"


def test_every_extra_but_those_for_the_project_itself_has_a_purpose() -> None:
    assert set(PURPOSES) == set(declared()["options.extras_require"]) - OURS


@pytest.mark.parametrize("package", ["gguf", "torchao", "bitsandbytes"])
def test_the_extra_that_an_error_names_brings_the_package(package: str) -> None:
    extra = how_to_get(package).partition("[")[2].rstrip("]'")
    assert package in declared()["options.extras_require"][extra]


def test_what_is_needed_and_what_an_extra_brings_is_what_the_metadata_says_for_this_python(shelf: str) -> None:
    assert needed(shelf) == ["torch"]
    assert brought("gpu", shelf) == ["bitsandbytes", "torchao"]
    assert brought("zstd", shelf) == [] == brought("unheard-of", shelf)


def test_a_distribution_without_metadata_needs_nothing_that_can_be_told() -> None:
    assert needed("not-a-distribution") == [] == brought("gpu", "not-a-distribution")


def test_a_doctor_names_the_extra_that_brings_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    version = doctor_machine._version
    monkeypatch.setattr(doctor_machine, "_version", lambda name: None if name == "polars" else version(name))
    found = Findings()
    doctor_machine.software(found)
    assert found.facts["[frames]"] == "polars missing" and found.facts["torch"] == version("torch")
    assert ("polars, for recordings as data frames, and Parquet", "pip install 'gearshift[frames]'") in found.missing
    assert found.broken == []
