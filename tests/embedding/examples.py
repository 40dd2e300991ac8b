"""The examples of embedding, as files, as modules and as programs of their own."""

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

FOLDER = Path(__file__).parents[2] / "notebooks" / "embedding"
PATIENCE = 240.0  # seconds: of a machine that is shared


def module(name: str) -> ModuleType:
    """As `import` would give it, without running it."""
    spec = importlib.util.spec_from_file_location(f"embedding_{name}", FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def program(name: str, *args: str | Path, cache: Path) -> subprocess.CompletedProcess[str]:
    """As a user runs it; its last line of error output names the heavy libraries that it has imported."""
    code = (
        "import runpy, sys; sys.argv = sys.argv[1:]\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "finally: print([m for m in ('torch', 'transformers', 'psutil') if m in sys.modules], file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, str(FOLDER / f"{name}.py"), *map(str, args)]
    env = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    return subprocess.run(command, capture_output=True, text=True, env=env, check=False, timeout=PATIENCE)


def until(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"{what} never came"
        time.sleep(0.02)
