"""Text that comes in pieces, broken between words where the terminal ends."""

import re
import shutil
import sys

from rich.cells import cell_len

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_WIDE = "\u2e80-\uffff"  # East Asian writing, which may be broken anywhere
_WORDS = re.compile(rf"\n|[^\S\n]+|[{_WIDE}]|[^\s{_WIDE}]+")


class Flowing:
    """Prints pieces as they come, without what would steer the terminal, each word once it is whole.

    Into a file or pipe, or with talking=False, nothing is broken or held back.
    """

    def __init__(self, talking: bool | None = None) -> None:
        self._talking = sys.stdout.isatty() if talking is None else talking
        self._word = self._blank = ""
        self._column = 0

    def write(self, piece: str) -> None:
        piece = _CONTROL.sub("", piece)
        if not self._talking:
            print(piece, end="", flush=True)
            return
        *whole, self._word = _WORDS.findall(self._word + piece) or [""]
        for part in whole:
            self._put(part)
        if self._word.isspace():
            self._put(self._word)
            self._word = ""
        sys.stdout.flush()

    def end(self) -> None:
        """The last word, and the end of its line."""
        self._put(self._word)
        print(flush=True)
        self._word = self._blank = ""
        self._column = 0

    def _put(self, part: str) -> None:
        if part == "\n":
            print()
            self._column, self._blank = 0, ""
        elif part.isspace():
            self._blank += part
        elif part:
            if self._column and self._column + cell_len(self._blank + part) > shutil.get_terminal_size().columns:
                print()
                self._column, self._blank = 0, ""
            print(self._blank + part, end="")
            self._column += cell_len(self._blank + part)
            self._blank = ""
