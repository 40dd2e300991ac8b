import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CASES = 150

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="each reader runs in a child, which takes os.fork")


def test_no_reader_does_anything_but_what_it_promises_on_hostile_bytes(tmp_path: Path) -> None:
    """From a process of its own, as it forks; its table is shown where something did not hold."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.readers", "--cases", str(CASES), "--seed", "7"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "build" / "survival").is_dir()
