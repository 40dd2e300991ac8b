"""Small files of the kernel, kept open: reading one again is one system call."""

import errno
import os
from pathlib import Path

_MOST = 1 << 16


class KeptFile:
    """A file of /proc or /sys. `read()` gives its text, None where there is none.

    What was missing at the first read is taken as missing for good; one that fails later is opened again at the
    next read. Closed with the last reference to it. Raises OSError when it is there and can't be read.
    """

    __slots__ = ("_absent", "_file", "path")

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None
        self._absent = False

    def read(self) -> str | None:
        if self._absent:
            return None
        try:
            if self._file is None:
                self._file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            return os.pread(self._file, _MOST, 0).decode()
        except (FileNotFoundError, NotADirectoryError):
            self._absent = True
            return None
        except OSError as error:
            self.close()
            if error.errno == errno.EOPNOTSUPP:  # a kernel that has it turned off
                self._absent = True
                return None
            raise

    def number(self) -> int | None:
        """The file's one number; None where there is no file or no number (`max`)."""
        text = self.read()
        if text is None:
            return None
        text = text.strip()
        return int(text) if text.lstrip("-").isdigit() else None

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    __del__ = close
