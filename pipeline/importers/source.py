"""The file that is read: its lines with their numbers, and what becomes of one that can't be read."""

import json
import re
from collections.abc import Callable, Container, Iterator
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec, TypeVar

from ..lines import RecordingError

P = ParamSpec("P")
T = TypeVar("T")

SHOWN = 80
MOST = 128 << 20
"""Bytes of a file, which is taken in whole."""
MOST_LINES = 3_000_000
"""A month of readings each second; each line takes about 150 bytes beside its text."""
MOST_JSON = 48 << 20
"""Characters of a JSON document, which takes up to twenty times its size while it is read."""
_JSON = json.JSONDecoder()
_BLANKS = re.compile(r"\s*")
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
        if self.text.count("\n") > MOST_LINES:
            raise RecordingError(f"{path}: more than {MOST_LINES} lines; split the file, or thin it out")
        lines = self.text.split("\n")
        self.lines = [Line(number, text) for number, text in enumerate(lines, 1) if text.strip()]
        self.cut = len(lines) if lines[-1] else 0

    def error(self, line: Line, what: str, remedy: str) -> RecordingError:
        """`path:line: what: the line, shortened; remedy`."""
        return RecordingError(f"{self.path}:{line.number}: {what}: {shortened(line.text)!r}; {remedy}")

    def damaged(self, error: json.JSONDecodeError, remedy: str) -> RecordingError:
        """The same for JSON that doesn't parse."""
        start = error.pos - error.colno + 1
        text = self.text[start : error.pos + SHOWN].split("\n")[0]
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
        found, number, at, start = [], 1, 0, 0
        for match in re.finditer(pattern, self.text):
            if breaks := self.text.count("\n", at, match.start()):
                number, start = number + breaks, self.text.rfind("\n", at, match.start()) + 1
            at = match.start()
            found.append(Line(number, self.text[start : start + 2 * SHOWN].partition("\n")[0]))
        return found

    def document(self, remedy: str, at: int = 0) -> tuple[Any, int]:
        """The JSON value from there on, and where it ends. Raises RecordingError."""
        if len(self.text) > MOST_JSON:
            raise RecordingError(f"{self.path}: more than {MOST_JSON >> 20} MiB of JSON; export a shorter time at once")
        try:
            return _JSON.raw_decode(self.text, at)
        except json.JSONDecodeError as error:
            raise self.damaged(error, remedy) from None
        except RecursionError:
            raise self.error(Line(1, self.text[:SHOWN]), "JSON that is nested too deeply", remedy) from None
        except ValueError as error:
            raise self.error(Line(1, self.text[:SHOWN]), f"JSON that can't be read ({error})", remedy) from None

    def blanks(self, at: int) -> int:
        """Where the next sign stands that is no space."""
        found = _BLANKS.match(self.text, at)
        return found.end() if found else at

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
