"""Files of lines, plain or compressed by their ending."""

import contextlib
import logging
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from .lines import RecordingError
from .reading import opened

log = logging.getLogger("gearshift.pipeline")

LONGEST = 1 << 20
"""Bytes of a line: a ladder of thousands of rungs, or the readings of hundreds of devices."""
_SMALL, _RATIO = 64 << 20, 100
"""Bytes that any compressed file may hold, and how many for each of its own beyond: recordings reach about 30."""


class LineFile:
    """A file that is written line by line, each handed to the system at once."""

    def __init__(self, raw: BinaryIO, packed: Any = None) -> None:
        self._raw, self._packed = raw, packed

    def write(self, line: bytes) -> None:
        """Raises OSError: where the disk refuses, and where somebody took the file away, as the line would be lost."""
        self._check_there()
        if self._packed is None:
            self._raw.write(line)
            self._raw.flush()
        else:
            self._packed.write(line)
            self._packed.flush()  # ends a block: what is on disk can be read up to here

    def _check_there(self) -> None:
        found = os.fstat(self._raw.fileno())
        if not stat.S_ISREG(found.st_mode):
            return
        if found.st_nlink == 0:
            raise FileNotFoundError("somebody has deleted or replaced the file")
        if found.st_size < self._raw.tell():
            raise OSError(f"somebody has cut the file to {found.st_size} bytes")

    def size(self) -> int:
        """Bytes on disk."""
        return self._raw.tell()

    def close(self) -> None:
        try:
            if self._packed is not None:
                self._packed.close()
        finally:
            self._raw.close()

    def abandon(self) -> None:
        """Close it and remove it, whatever the disk says: nothing was written that is of use."""
        regular = stat.S_ISREG(os.fstat(self._raw.fileno()).st_mode)
        with contextlib.suppress(OSError):
            self.close()
        if regular:
            with contextlib.suppress(OSError):
                Path(self._raw.name).unlink()


def check_writable(path: Path) -> None:
    """Raises ImportError where `.zst` is asked for and can't be written."""
    _zstd(path)


def open_to_write(path: Path) -> LineFile:
    """Begin a file. Raises OSError, or ImportError where `.zst` is asked for and can't be written."""
    zstd = _zstd(path)
    raw = path.open("wb")
    return LineFile(raw, None if zstd is None else zstd.ZstdFile(raw, "wb"))


def lines_of(path: Path) -> Iterator[bytes]:
    """Lines with their ends; the last one may lack it. A compressed file that was cut off ends where it was cut.

    Raises RecordingError for a line without an end in sight, and for a compressed file that is made to fill memory.
    OSError for what is no regular file.
    """
    zstd = _zstd(path)
    with opened(path) as raw:
        if zstd is None:
            yield from _bounded(path, raw)
            return
        most = _SMALL + _RATIO * os.fstat(raw.fileno()).st_size
        try:
            for line in _bounded(path, zstd.ZstdFile(raw, "rb")):
                most -= len(line)
                if most < 0:
                    raise RecordingError(
                        f"{path}: holds more than {_RATIO} times its size, as no recording does; if you trust it, "
                        "unpack it and read that"
                    )
                yield line
        except EOFError:
            log.warning("%s was cut off, as by a crash; what came before is read", path)
            return
        except zstd.ZstdError as error:
            raise RecordingError(f"{path}: not a Zstandard file, as its name says, or a damaged one: {error}") from None


def _bounded(path: Path, file: BinaryIO) -> Iterator[bytes]:
    number = 0
    while line := file.readline(LONGEST + 1):
        number += 1
        if len(line) > LONGEST:
            raise RecordingError(
                f"{path}:{number}: a line of more than {LONGEST >> 10} KiB: {line[:60].decode(errors='replace')!r}; "
                "it is no recording, or a damaged one: remove that line"
            )
        yield line


def _zstd(path: Path) -> Any:
    if path.suffix != ".zst":
        return None
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError as error:
        raise ImportError(f"{path}: needs Zstandard ({error}); run: pip install 'gearshift[zstd]'") from None
    return zstd
