"""The wheel and the sdist, built without a network, and what is in them."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path

from packaging.metadata import Metadata

ROOT = Path(__file__).parents[2]
FLOORS = ("operators", "pipeline", "models")
BESIDE = ("setup.cfg", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE")


@dataclass(frozen=True)
class Built:
    """A folder with the two files of a release, or with one of them."""

    folder: Path

    @property
    def wheel(self) -> Path:
        (file,) = self.folder.glob("*.whl")
        return file

    @property
    def sdist(self) -> Path:
        (file,) = self.folder.glob("*.tar.gz")
        return file

    @property
    def in_wheel(self) -> set[str]:
        """Paths of all files in the wheel."""
        with zipfile.ZipFile(self.wheel) as wheel:
            return set(wheel.namelist())

    @property
    def in_sdist(self) -> set[str]:
        """Paths of all files in the sdist, below its one folder."""
        with tarfile.open(self.sdist) as sdist:
            return {member.name.partition("/")[2] for member in sdist.getmembers() if member.isfile()}

    def of_wheel(self, name: str) -> str:
        """The text of a file in the wheel's folder of metadata. Raises KeyError."""
        with zipfile.ZipFile(self.wheel) as wheel:
            folder = next(path for path in wheel.namelist() if path.endswith(".dist-info/METADATA")).rpartition("/")[0]
            return wheel.read(f"{folder}/{name}").decode()

    @property
    def metadata(self) -> Metadata:
        """Checked by the rules of package indexes. Raises an ExceptionGroup that names each field in error."""
        return Metadata.from_email(self.of_wheel("METADATA"), validate=True)


def exported(folder: Path) -> Path:
    """What a release is built from, apart: an earlier build may have left files in the checkout, and setuptools would
    take along some of the tests."""
    for floor in FLOORS:
        shutil.copytree(ROOT / floor, folder / floor, ignore=shutil.ignore_patterns("__pycache__", "*.py[co]", ".*"))
    for name in BESIDE:
        shutil.copy(ROOT / name, folder / name)
    return folder


def build(source: Path, out: Path, *kinds: str) -> Built:
    """Build into an empty folder; without kinds the sdist, and the wheel from that sdist. Raises RuntimeError."""
    command = [sys.executable, "-m", "build", "--no-isolation", *kinds, "--outdir", out, source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{source} can't be built:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    if "Deprecat" in done.stdout + done.stderr:
        raise RuntimeError(f"setuptools warns of something deprecated:\n{done.stderr[-4000:]}")
    return Built(out)


def declared() -> ConfigParser:
    """setup.cfg."""
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", "utf-8")
    return config
