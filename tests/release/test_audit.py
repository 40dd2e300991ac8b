"""What `make audit` says to what pip-audit tells."""

import json

import pytest

from .audit import IGNORED, ignored, installed, verdict

KNOWN = {"id": "PYSEC-2021-66", "fix_versions": ["2.11.3"], "aliases": ["CVE-2020-28493"], "description": "slow"}
SKIPPED = {"name": "own", "skip_reason": "Dependency not found on PyPI and could not be audited: own (1.0)"}


def report(*found: dict) -> bytes:
    return json.dumps({"dependencies": list(found), "fixes": []}).encode()


def of(*vulns: dict) -> dict:
    return {"name": "jinja2", "version": "2.4.1", "vulns": list(vulns)}


def test_a_known_vulnerability_fails_with_its_remedy() -> None:
    good, told = verdict(report(of(KNOWN), SKIPPED), "Found 1 known vulnerability in 1 package", {})
    assert not good and told[0] == "jinja2 2.4.1: PYSEC-2021-66 CVE-2020-28493, fixed in 2.11.3"
    assert "audit-ignored" in told[1]


@pytest.mark.parametrize("name", ["PYSEC-2021-66", "CVE-2020-28493"])
def test_one_with_a_reason_passes_and_any_other_still_fails(name: str) -> None:
    reasons = ignored(f"# why\n{name} no template of a stranger's is rendered\n")
    assert verdict(report(of(KNOWN)), "", reasons) == (True, ["No known vulnerability in 1 distribution"])
    assert not verdict(report(of(KNOWN, KNOWN | {"id": "X", "aliases": []})), "", reasons)[0]


def test_an_id_without_a_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="audit-ignored:2: CVE-1 has no reason"):
        ignored("# none\nCVE-1  # later\n")


def test_what_could_not_be_looked_up_is_never_told_as_sound() -> None:
    assert verdict(report(of(), SKIPPED), "", {})[1] == [
        "No known vulnerability in 1 distribution; PyPI does not tell of 1 other"
    ]
    assert verdict(report(SKIPPED), "", {}) == (
        True, ["Not audited: PyPI tells nothing here of any of 1 distribution"],
    )  # fmt: skip


def test_without_a_network_it_passes_and_says_so_and_any_other_failure_fails() -> None:
    good, told = verdict(b"", "Traceback …\nrequests.exceptions.ProxyError: HTTPSConnectionPool(…)", {})
    assert good and told[0].startswith("Not audited: PyPI can't be asked here") and len(told) == 1
    assert verdict(b"", "ERROR:pip_audit._cli:Could not connect to PyPI's vulnerability feed", {})[0]
    assert verdict(b"", "No module named pip_audit", {}) == (False, ["pip-audit failed: No module named pip_audit"])


def test_all_that_is_installed_is_asked_about_by_versions_that_pypi_has() -> None:
    found = installed()
    assert {line.partition("==")[0].lower() for line in found} >= {"torch", "transformers", "jinja2", "reactivex"}
    assert not [line for line in found if "+" in line or line.lower().startswith("gearshift==")]


def test_what_is_ignored_in_this_project_has_its_reasons() -> None:
    ignored(IGNORED.read_text("utf-8"))
