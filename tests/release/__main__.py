"""Builds a release into dist/ and tries it: `python -m tests.release [extra …]`, by default with every extra.

What is installed stands in a temporary folder (TMPDIR says where; about 2 GB). It takes about ten minutes.
"""

import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from gearshift.models.extras import PURPOSES

from .building import ROOT, Built, build, declared, exported
from .environments import Environment

HERE = Path(__file__).parent
OTHERS = ("3.11", "3.12", "3.13", "3.14")


def main(extras: list[str]) -> int:
    """Returns 0, or 1 where something failed."""
    with tempfile.TemporaryDirectory(prefix="gearshift-release-") as made:
        folder = Path(made)
        built = _built(folder)
        base, good = _from_wheel(folder, built, sys.executable)
        good &= _from_sdist(folder, built, base)
        good &= _on_other_pythons(folder, built)
        good &= _extras(folder, built, base, extras)
    version = declared()["metadata"]["version"]
    if f"\n## [{version}] - " not in (ROOT / "CHANGELOG.md").read_text("utf-8"):
        print(f"CHANGELOG.md has no section {version} yet; a tag needs one (see CONTRIBUTING.md, Make a release).")
    print("All of it works." if good else "Something failed; see above.")
    return 0 if good else 1


def _built(folder: Path) -> Built:
    out = ROOT / "dist"
    shutil.rmtree(out, ignore_errors=True)
    built = build(exported(folder / "source"), out)
    print(f"Built into dist/, for the version {built.metadata.version}; the metadata is valid:")
    for file in (built.wheel, built.sdist):
        print(f"  {file.name}: {file.stat().st_size:,} bytes")
    return built


def _from_wheel(folder: Path, built: Built, python: str) -> tuple[Environment, bool]:
    base = Environment(folder / python.strip("/").replace("/", "-"), python=python)
    seconds = base.install(built.wheel)
    print(f"The wheel in an empty environment of {base.python}: {seconds:.0f} s, {base.mib:.0f} MiB", flush=True)
    return base, base.run(HERE / "smoke.py", "leak.jsonl")


def _from_sdist(folder: Path, built: Built, base: Environment) -> bool:
    env = Environment(folder / "sdist", below=base)
    seconds = env.install("--no-deps", "--ignore-installed", built.sdist)
    print(f"The sdist, with the dependencies from there: {seconds:.0f} s", flush=True)
    return env.run(HERE / "smoke.py", "leak.jsonl")


def _on_other_pythons(folder: Path, built: Built) -> bool:
    good = True
    for version in OTHERS:
        if version == f"3.{sys.version_info.minor}":
            continue
        python = shutil.which(f"python{version}")
        if python is not None and _starts(python):
            try:
                good &= _from_wheel(folder, built, python)[1]
            except RuntimeError as error:  # the pinned torch may have no build for it
                print(f"Python {version} is here, and gearshift can't be installed for it: {error}")
                good = False
        else:
            print(f"Not tried on Python {version}: there is no python{version} on PATH that starts")
    return good


def _starts(python: str) -> bool:
    """A version manager leaves commands on PATH for versions that aren't chosen."""
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


def _extras(folder: Path, built: Built, base: Environment, wanted: list[str]) -> bool:
    table, all_good = [], True
    for extra in wanted or PURPOSES:
        print(f"[{extra}]", flush=True)
        good = base.run(HERE / "extra_checks.py", extra, "without")
        env = Environment(folder / extra, below=base)
        seconds = env.install(f"gearshift[{extra}] @ {built.wheel.absolute().as_uri()}")
        good &= env.run(HERE / "extra_checks.py", extra, "with")
        table.append(f"  {extra:<10} {seconds:>6.0f} s {env.mib:>7.1f} MiB   {'works' if good else 'FAILED'}")
        all_good &= good
    print("Extras, each alone on top of that environment:", *table, sep="\n")
    return all_good


if __name__ == "__main__":
    if find_spec("build") is None:
        sys.exit("python -m tests.release needs the package build; run: make release")
    sys.exit(main(sys.argv[1:]))
