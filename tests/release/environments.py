"""Environments made from nothing, outside the checkout."""

import os
import subprocess
import sys
import time
from pathlib import Path

from .building import ROOT


class Environment:
    """A virtual environment in a folder, empty but for what is installed, with a folder to work in beside it.

    Args:
        folder: to make it in.
        below: another one, whose packages it has too; what is installed comes before them.
        python: the interpreter; the one that runs this by default.
    """

    def __init__(self, folder: Path, below: "Environment | None" = None, python: str = sys.executable) -> None:
        self._folder, self._home = folder / "env", folder / "work"
        self._home.mkdir(parents=True)
        _done([python, "-m", "venv", "--without-pip", self._folder], folder)
        (self.packages,) = self._folder.glob("lib/python3*/site-packages")
        self.python = self.packages.parent.name
        if below is not None:
            (self.packages / "below.pth").write_text(f"{below.packages}\n")

    def install(self, *what: str | Path) -> float:
        """By this Python's pip, in the versions of constraints.txt. Returns seconds. Raises RuntimeError."""
        began = time.monotonic()
        pip = [sys.executable, "-m", "pip", "--python", self._folder / "bin" / "python", "install", "-q"]
        _done([*pip, "--disable-pip-version-check", "-c", ROOT / "constraints.txt", *what], self._home)
        return time.monotonic() - began

    @property
    def mib(self) -> float:
        """What its packages take on disk."""
        files = (path for path in self.packages.rglob("*") if path.is_file() and not path.is_symlink())
        return sum(path.stat().st_size for path in files) / (1 << 20)

    def run(self, script: Path, *args: str) -> bool:
        """A script with its neighbours, copied to where nothing of the checkout can be imported. Prints what it prints.

        Its errors are printed where it fails. Returns whether it succeeded.
        """
        for file in (script.with_name("trying.py"), ROOT / "tests/models/checkpoints.py", script, *_DATA):
            (self._home / file.name).write_bytes(file.read_bytes())
        done = subprocess.run(
            [self._folder / "bin" / "python", script.name, *args],
            cwd=self._home, env=self._environment(), stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            print(done.stderr[-6000:], flush=True)
        return done.returncode == 0

    def _environment(self) -> dict[str, str]:
        """This one, without what leads to the checkout or to what its user keeps."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "GEARSHIFT", "XDG_"))
        }
        path = f"{(self._folder / 'bin').absolute()}{os.pathsep}{os.environ['PATH']}"
        return {**kept, "PATH": path, "HOME": str(self._home), "HF_HUB_OFFLINE": "1"}


_DATA = (ROOT / "tests/recordings/leak.jsonl",)


def _done(command: list[str | Path], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stderr[-3000:]}")
