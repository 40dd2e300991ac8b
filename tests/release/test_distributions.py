import re
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from .building import BESIDE, FLOORS, ROOT, Built, build, declared, exported

_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_RELEASE = re.compile(r"^## \[(\d[^\]]*)\] - \d{4}-\d\d-\d\d$", re.M)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def built(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(source, tmp_path_factory.mktemp("dist"))


def files_of_the_floors() -> set[str]:
    found = (path for floor in FLOORS for path in (ROOT / floor).rglob("*") if path.is_file())
    return {str(path.relative_to(ROOT)) for path in found if "__pycache__" not in path.parts}


def test_the_wheel_holds_every_file_of_the_three_floors_and_nothing_else(built: Built) -> None:
    inside = {path for path in built.in_wheel if ".dist-info/" not in path}
    assert inside == {f"gearshift/{path}" for path in files_of_the_floors()}


def test_the_sdist_holds_that_and_what_the_build_needs_and_no_tests(built: Built) -> None:
    inside = {path for path in built.in_sdist if not path.startswith("gearshift.egg-info/")}
    assert inside == files_of_the_floors() | {*BESIDE, "PKG-INFO"}


def test_a_wheel_from_the_sdist_is_one_from_the_checkout(built: Built, source: Path, tmp_path: Path) -> None:
    straight = build(source, tmp_path, "--wheel")
    assert built.in_wheel == straight.in_wheel
    assert built.of_wheel("METADATA") == straight.of_wheel("METADATA")


def test_the_metadata_is_valid_and_says_what_setup_cfg_says(built: Built) -> None:
    metadata, config = built.metadata, declared()
    assert str(metadata.version) == config["metadata"]["version"]
    assert str(metadata.requires_python) == config["options"]["python_requires"]
    assert metadata.license_expression == "Apache-2.0 AND MIT"  # the MIT one is of plotly.js, in reports
    assert metadata.license_files == ["LICENSE", "pipeline/views/report/vendor/plotly-basic.LICENSE"]
    assert set(metadata.provides_extra or ()) == set(config["options.extras_require"])
    asked = {Requirement(line).name for line in config["options"]["install_requires"].split()}
    assert {each.name for each in metadata.requires_dist or () if each.marker is None} == asked


def test_the_page_of_the_package_is_the_readme_and_then_the_changelog(built: Built) -> None:
    page = built.metadata.description or ""
    assert page.startswith("# gearshift\n") and "\n# Changelog\n" in page


def test_every_entry_point_leads_to_something(built: Built) -> None:
    lines = [line.split(" = ") for line in built.of_wheel("entry_points.txt").splitlines() if " = " in line]
    assert {name for name, _ in lines} == {"gearshift"}
    assert all(EntryPoint(name, value, "").load() for name, value in lines) and len(lines) == 2


def test_the_version_is_semantic_and_the_one_that_the_changelog_released_last() -> None:
    version = declared()["metadata"]["version"]
    assert _VERSION.fullmatch(version)
    released = _RELEASE.findall((ROOT / "CHANGELOG.md").read_text("utf-8"))
    assert released[:1] in ([], [version])
    assert released == sorted(released, key=Version, reverse=True)


def test_every_package_that_a_release_asks_for_is_pinned(built: Built) -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").split()
    pinned = {canonicalize_name(Requirement(line).name) for line in lines}
    assert {canonicalize_name(each.name) for each in built.metadata.requires_dist or ()} - pinned == set()
