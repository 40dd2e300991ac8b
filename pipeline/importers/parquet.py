"""Parquet with named columns: the same as CSV. Read by polars or pyarrow, whichever is installed.

Either is native code, which a damaged file makes panic, abort or fill memory. So it runs in a process of its own, whose
memory is limited, and what comes of it is text.
"""

import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from threading import Timer

from ..lines import RecordingError
from .source import MOST, MOST_LINES

NAME = "Parquet with named columns"

MAGIC = b"PAR1"

_MEMORY = 4 << 30 if sys.platform == "linux" else 0  # bytes of address space; elsewhere they can't be limited
_SECONDS = 120.0
_LIBRARIES = ("polars", "pyarrow.parquet")
_ONE_THREAD = {"POLARS_MAX_THREADS": "1", "RAYON_NUM_THREADS": "1"}  # each takes address space for its stack


def as_csv(path: Path) -> bytes:
    """The table as CSV, so that row n stands on line n + 1.

    Raises RecordingError where neither library is installed, and for a file that is damaged, or larger once unpacked
    than any text that is read. OSError where no process can be started.
    """
    library = next((name for name in _LIBRARIES if _installed(name)), None)
    if library is None:
        raise RecordingError(
            f"{path}:1: Parquet needs polars or pyarrow to be read; run: pip install 'gearshift[frames]'"
        )
    with tempfile.TemporaryFile() as errors, _reader(library, path, errors.fileno()) as reader:
        watchdog = Timer(_SECONDS, reader.kill)
        watchdog.start()
        try:
            assert reader.stdout is not None
            content = reader.stdout.read(MOST + 1)
            status = reader.wait() if len(content) <= MOST else 0
        finally:
            watchdog.cancel()
            reader.kill()
        if len(content) > MOST:
            raise RecordingError(f"{path}:1: more than {MOST >> 20} MiB once unpacked; split the file, or thin it out")
        if status != 0:
            errors.seek(0)
            raise RecordingError(f"{path}:1: damaged Parquet: {_told(errors.read(), status)}; write it again")
    return content


def _reader(library: str, path: Path, errors: int) -> "subprocess.Popen[bytes]":
    program = Path(__file__).with_name("parquet_reader.py")
    known = os.pathsep.join(each for each in sys.path if isinstance(each, str))
    return subprocess.Popen(
        [sys.executable, "-P", str(program), library, str(path.absolute()), str(MOST_LINES + 1), str(_MEMORY)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        env={**os.environ, **_ONE_THREAD, "PYTHONPATH": known, "PYTHONIOENCODING": "utf-8"},
    )


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ImportError:
        return False


def _told(errors: bytes, status: int) -> str:
    lines = errors.decode(errors="replace").split("\n")
    last = next((line for line in reversed(lines) if line.strip()), "")
    return last.strip() if status > 0 and last else f"its reader was ended by signal {-status}"
