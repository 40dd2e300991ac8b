"""The command `gearshift`, run as users do, and what it said."""

import os
import subprocess
import sys
from pathlib import Path


def gearshift(*args: str | Path, tiers: str | Path = "", **more: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, and at the end of its error output which modules it imported."""
    code = (
        "import sys; from gearshift.models.commands.cli import main\n"
        "try: main()\nfinally: sys.stderr.write('\\n' + ' '.join(sys.modules))"
    )
    env = {**os.environ, "GEARSHIFT_TIERS": str(tiers), "COLUMNS": "80", **more}
    return subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, env=env, check=False)


def imported(done: subprocess.CompletedProcess[str]) -> list[str]:
    return done.stderr.splitlines()[-1].split()


def said(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join(done.stderr.splitlines()[0].split())
