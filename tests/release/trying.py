"""Checks that say what they found, one on a line. It needs nothing that has to be installed."""

import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterable

COMMAND = "import sys; from gearshift.models.commands.cli import main; sys.argv[0] = 'gearshift'; main()"


def tried(checks: Iterable[Callable[[], str]]) -> int:
    """Run them all and print what each found. Returns 0, or 1 where one failed."""
    failed = 0
    for check in checks:
        name, began = check.__name__.replace("_", " "), time.monotonic()
        try:
            found = check()
        except Exception:  # noqa: BLE001 - whatever goes wrong is a finding, and the next check is tried all the same
            failed += 1
            traceback.print_exc()
            found = "FAILED"
        print(f"  {name}: {found} ({time.monotonic() - began:.1f} s)", flush=True)
    return min(failed, 1)


def gearshift(*args: object, code: int = 0) -> str:
    """What the command says, in a process of its own, as its user has it: its output, or its errors where it fails."""
    return _said([sys.executable, "-c", COMMAND, *map(str, args)], code)


def module(*args: object, code: int = 0) -> str:
    """The same for `python -m`."""
    return _said([sys.executable, "-m", *map(str, args)], code)


def _said(command: list[str], code: int) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout if code == 0 else f"{done.stdout}{done.stderr}"
