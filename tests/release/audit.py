"""Are known vulnerabilities in what is installed here? `make audit`, or `python -m tests.release.audit`.

A known one fails, unless `.ci/audit-ignored` has its id and a reason. Where PyPI can't be asked, that is told in one
line and nothing fails, as a build must pass without a network.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib import metadata

import msgspec
from gearshift.pipeline.words import counted

from .building import ROOT

IGNORED = ROOT / ".ci" / "audit-ignored"
SECONDS = 60
_UNREACHED = re.compile(r"requests\.exceptions\.|ServiceError|ConnectionError|Could not connect")


class Known(msgspec.Struct):
    """A vulnerability. id: as PyPI has it. aliases: as others have it, such as CVE."""

    id: str
    fix_versions: list[str] = []
    aliases: list[str] = []


class Audited(msgspec.Struct):
    """A distribution. skip_reason: why it could not be looked up."""

    name: str
    version: str = ""
    vulns: list[Known] = []
    skip_reason: str = ""


class _Report(msgspec.Struct):
    dependencies: list[Audited]


def installed() -> list[str]:
    """All but gearshift itself, as requirements. A build of torch for one kind of machine is a version of PyPI's with
    a `+` and more behind it, which PyPI does not know."""
    found = {each.metadata["Name"]: each.version.partition("+")[0] for each in metadata.distributions()}
    return sorted(f"{name}=={version}" for name, version in found.items() if name and name.lower() != "gearshift")


def ignored(text: str) -> dict[str, str]:
    """Reasons by id. Raises ValueError for an id without one."""
    reasons: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, _, reason = line.partition("#")[0].strip().partition(" ")
        if name and not reason:
            raise ValueError(f"{IGNORED.name}:{number}: {name} has no reason; write why it does no harm here")
        if name:
            reasons[name] = reason
    return reasons


def verdict(report: bytes, errors: str, reasons: Mapping[str, str]) -> tuple[bool, list[str]]:
    """Whether it is good, and what to say, from what pip-audit wrote to stdout and stderr."""
    if not report.strip():
        last = (errors.strip().splitlines() or ["pip-audit said nothing"])[-1]
        if _UNREACHED.search(last):
            return True, [f"Not audited: PyPI can't be asked here ({last:.120})"]
        return False, [f"pip-audit failed: {last}"]
    found = msgspec.json.decode(report, type=_Report).dependencies
    asked = [each for each in found if not each.skip_reason]
    told: list[str] = []
    for each in asked:
        for known in each.vulns:
            if reasons.keys().isdisjoint([known.id, *known.aliases]):
                fixed = f"fixed in {', '.join(known.fix_versions)}" if known.fix_versions else "not fixed yet"
                told.append(f"{each.name} {each.version}: {' '.join([known.id, *known.aliases])}, {fixed}")
    if told:
        return False, [*told, f"Take a fixed version, or write id and reason into .ci/{IGNORED.name}"]
    if not asked:
        return True, [f"Not audited: PyPI tells nothing here of any of {counted(len(found), 'distribution')}"]
    left = f"; PyPI does not tell of {counted(len(found) - len(asked), 'other')}" if len(asked) < len(found) else ""
    return True, [f"No known vulnerability in {counted(len(asked), 'distribution')}{left}"]


def main() -> int:
    reasons = ignored(IGNORED.read_text("utf-8"))
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as wanted:
        wanted.write("\n".join(installed()))
        wanted.flush()
        options = ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--timeout", "10", "--format", "json"]
        command = [sys.executable, "-m", "pip_audit", "--requirement", wanted.name, *options]
        try:
            done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            print(f"Not audited: PyPI did not answer for all within {SECONDS} s")
            return 0
    good, told = verdict(done.stdout, done.stderr.decode(errors="replace"), reasons)
    print("\n".join(told))
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
