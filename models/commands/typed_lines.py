"""Lines that somebody types, or pipes in, while something else goes on."""

import os
import select
import sys
import time
from types import TracebackType

_ERASE, _KILL = (b"\x7f", b"\b"), b"\x15"


class TypedLines:
    """Lines of stdin as they come: from a terminal in the foreground, or from a pipe or file until its end.

    Where stderr is the terminal too, so that a line is redrawn there, what is being typed is not echoed: it is in
    `typing`, to be shown. Entered, and left, it changes the terminal and puts it back.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._saved = None
        self._terminal = os.isatty(0)
        try:
            self._open = not self._terminal or os.tcgetpgrp(0) == os.getpgrp()  # to read from behind would stop us
        except OSError:
            self._open = False

    def __enter__(self) -> "TypedLines":
        if self._open and self._terminal and sys.stderr.isatty():
            import termios

            self._saved = termios.tcgetattr(0)
            quiet = termios.tcgetattr(0)
            quiet[3] &= ~(termios.ICANON | termios.ECHO)
            termios.tcsetattr(0, termios.TCSADRAIN, quiet)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._saved is not None:
            import termios

            termios.tcsetattr(0, termios.TCSADRAIN, self._saved)

    @property
    def typing(self) -> str:
        """The line that is not ended yet."""
        return self._rest.decode(errors="ignore")

    def within(self, seconds: float) -> list[str]:
        """Whole lines that come within so many seconds; without spaces around, and none that are empty."""
        if not self._open:
            time.sleep(seconds)
            return []
        if not select.select([0], [], [], seconds)[0]:
            return []
        read = os.read(0, 1 << 16)
        self._open = bool(read)
        *whole, rest = (self._rest + (read or b"\n")).split(b"\n")
        self._rest = rest if self._saved is None else _edited(rest)
        lines = whole if self._saved is None else map(_edited, whole)
        return [text for line in lines if (text := line.decode(errors="replace").strip())]


def _edited(keys: bytes) -> bytes:
    """What is left of a line when its keys for erasing have done their work.

    >>> _edited(b"bux\\x7fild"), _edited(b"no\\x15yes"), _edited(b"up\\x1b[A")
    (b'build', b'yes', b'up[A')
    """
    text = keys.rpartition(_KILL)[2].decode(errors="surrogateescape")
    kept: list[str] = []
    for key in text:
        if key.encode(errors="surrogateescape") in _ERASE:
            del kept[-1:]
        elif key >= " ":
            kept.append(key)
    return "".join(kept).encode(errors="surrogateescape")
