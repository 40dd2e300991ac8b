"""Files from outside, read whole or refused: whatever one is or claims, no more than a limit of it is read."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from .printable import clean

WRITTEN = 1 << 18
"""Bytes of a file that a person writes, such as settings: some thousand rungs or tiers."""
NOTED = 1 << 20
"""Bytes of a small record of our own, such as what a rung was measured to need."""
KEPT = 64 << 20
"""Bytes of a file that a program writes and that is taken in whole: conversations, golden decisions, a config."""

_LONGEST, _END = 1000, 300  # characters of an error; the remedy is at its end
_KINDS = {
    stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip


class RefusedError(ValueError):
    """What came from outside can't be used: one line that says where, what and the remedy.

    It may quote what was found: signs that a terminal might obey are spelled out, and the middle of what is endless is
    left out.
    """

    def __init__(self, message: str) -> None:
        super().__init__(_cut(clean(_cut(message))))  # spelled out it is longer again


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - _END]} … {text[-_END:]}"


def opened(file: Path) -> BinaryIO:
    """A regular file, to read; or the null device, which is an empty one.

    Raises OSError, for anything else too: a pipe that nobody writes to would never end, and a device need not.
    """
    handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))
    try:
        found = os.fstat(handle)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(file))
        if not stat.S_ISREG(found.st_mode) and not os.path.samestat(found, Path(os.devnull).stat()):
            kind = _KINDS.get(stat.S_IFMT(found.st_mode), "no file")
            raise OSError(errno.EINVAL, f"it is {kind}, and a regular file is wanted", str(file))
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_whole(file: Path, most: int) -> bytes:
    """What it holds. Raises OSError, for a file of more than `most` bytes too."""
    with opened(file) as source:
        content = source.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it is longer than {most >> 10} KiB, which is the most that is read", str(file))
    return content
