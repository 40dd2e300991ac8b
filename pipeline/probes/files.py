"""Small files of the kernel, kept open: reading one again is one system call."""

import errno
import os
from pathlib import Path

_MOST = 1 << 16


class KeptFile:
    """A file of /proc or /sys. `read()` gives its text, None where there is none.

    What was missing at the first read is taken as missing for good; one that fails or vanishes later is opened again
    at the next read. Closed with the last reference to it. Raises OSError when it can't be read, or not any more.
    """

    __slots__ = ("_absent", "_file", "_known", "path")

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None
        self._absent = self._known = False

    def read(self) -> str | None:
        if self._absent:
            return None
        try:
            if self._file is None:
                self._file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            text = os.pread(self._file, _MOST, 0).decode()
            self._known = True
            return text
        except (FileNotFoundError, NotADirectoryError):
            if self._known:
                raise
            self._absent = True
            return None
        except OSError as error:
            self.close()
            if error.errno == errno.EOPNOTSUPP:  # a kernel that has it turned off
                self._absent = True
                return None
            raise

    def number(self) -> int | None:
        """The file's one number; None where there is no file, or no limit (`max`). Raises ValueError for other text."""
        text = self.read()
        if text is None or text.strip() == "max":
            return None
        try:
            return int(text)
        except ValueError:
            raise ValueError(f"{self.path} holds no number: {text[:40]!r}") from None

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    __del__ = close
