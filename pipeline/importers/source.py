"""The file that is read: its lines with their numbers, and what becomes of one that can't be read."""

import json
import re
from collections.abc import Callable, Container, Iterator
from pathlib import Path
from typing import NamedTuple, ParamSpec, TypeVar

from ..lines import RecordingError

P = ParamSpec("P")
T = TypeVar("T")

SHOWN = 80
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class Line(NamedTuple):
    """One line of a file, counted from 1, without its end."""

    number: int
    text: str


class BadLine(ValueError):
    """What is wrong with a line, and in `remedy` what to do about it."""

    def __init__(self, what: str, remedy: str = 'mend or remove it, or pass on_bad="skip"') -> None:
        super().__init__(what)
        self.remedy = remedy


class Unsaid(BadLine):
    """Something that no line of the file tells and the caller can: an error even where bad lines are skipped."""


class Source:
    """A text file in memory.

    text: all of it. lines: those that aren't blank. cut: the number of a last line without an end, 0 if it has one.
    skipped: how many lines were left out so far; `skip` says whether a bad one is left out or an error.
    """

    def __init__(self, path: str | Path, content: bytes, *, skip: bool = False) -> None:
        self.path = path
        self.text = decode(content)
        self.skip = skip
        self.skipped = 0
        lines = self.text.split("\n")
        self.lines = [Line(number, text) for number, text in enumerate(lines, 1) if text.strip()]
        self.cut = len(lines) if lines[-1] else 0

    def error(self, line: Line, what: str, remedy: str) -> RecordingError:
        """`path:line: what: the line, shortened; remedy`."""
        return RecordingError(f"{self.path}:{line.number}: {what}: {shortened(line.text)!r}; {remedy}")

    def damaged(self, error: json.JSONDecodeError, remedy: str) -> RecordingError:
        """The same for JSON that doesn't parse."""
        text = self.text.split("\n")[error.lineno - 1]
        return self.error(
            Line(error.lineno, text[max(0, error.colno - SHOWN // 2) :]), f"damaged JSON: {error.msg}", remedy
        )

    def kept(self, line: Line, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """What `read` makes of a line, or None if it was bad and left out.

        A last line without an end was cut short, as by a crash, so that it is left out whatever `skip` says.
        Raises RecordingError for any other bad line unless `skip`, and for what the caller should have said.
        """
        try:
            return read(*args, **kwargs)
        except RecordingError:
            raise
        except (ValueError, OverflowError) as error:
            if isinstance(error, Unsaid) or not (self.skip or line.number == self.cut):
                bad = error if isinstance(error, BadLine) else BadLine(str(error))
                raise self.error(line, str(bad), bad.remedy) from None
        self.skipped += 1
        return None

    def places(self, pattern: str) -> list[Line]:
        """The line of each match: where the parts of a JSON document stand."""
        found, number, at = [], 1, 0
        for match in re.finditer(pattern, self.text):
            number, at = number + self.text.count("\n", at, match.start()), match.start()
            start, end = self.text.rfind("\n", 0, at) + 1, self.text.find("\n", at)
            found.append(Line(number, self.text[start : None if end < 0 else end]))
        return found

    def __iter__(self) -> Iterator[Line]:
        return iter(self.lines)


def decode(content: bytes) -> str:
    """Text by its byte order mark, as PowerShell writes it; else UTF-8, whatever isn't becomes a replacement mark.

    Every line end becomes one line feed.
    """
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    return content.decode(encoding, errors="replace").replace("\r\n", "\n").replace("\r", "\n")


def require(names: Container[str], *wanted: str) -> None:
    """Raises BadLine for a column that the header should name and doesn't."""
    for name in wanted:
        if name not in names:
            raise BadLine(f"the header above names no column {name!r}")


def shortened(text: str) -> str:
    """A line for people: no longer than fits beside a reason.

    >>> shortened("  a,b  ")
    'a,b'
    """
    text = text.strip()
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
