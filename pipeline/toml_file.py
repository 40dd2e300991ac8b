"""A TOML file that a person wrote: read whole, or refused with one clear error."""

import tomllib
from pathlib import Path
from typing import Any

from .reading import WRITTEN, RefusedError, read_whole

_DOTS = 256  # in a line: the time that a key takes to be read grows with the square of its parts
_BITS = 4096  # of a whole number; TOML asks for 64, and one of 16,000 can't even be quoted in an error


def read_toml(file: Path, error: type[RefusedError], *, where: str, remedy: str, holds: str) -> dict[str, Any]:
    """What it holds. where: its name in errors. remedy: for a file that can't be read. holds: what would be right.

    Raises `error`: that the file can't be read, or the line and column at which it is no TOML.
    """
    try:
        content = read_whole(file, WRITTEN)
    except (OSError, ValueError) as failed:
        raise error(f"{where}: can't be read: {getattr(failed, 'strerror', None) or failed}; {remedy}") from None
    try:
        return parsed(content)
    except ValueError as failed:
        raise error(f"{where}: not TOML: {failed}; {holds}") from None


def parsed(content: bytes) -> dict[str, Any]:
    """Raises ValueError that says what is wrong, and where."""
    try:
        text = content.decode("utf-8-sig")  # some editors begin a file with a mark that is no part of it
    except UnicodeDecodeError as failed:
        raise ValueError(f"no UTF-8 ({_place(content[: failed.start].decode())})") from None
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > _DOTS:
            raise ValueError(f"more than {_DOTS} dots (at line {number})")
    try:
        found = tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError as failed:
        raise ValueError(str(failed).replace("at end of document", f"{_place(text)}, the end")) from None
    _check_numbers(found)
    return found


def _check_numbers(found: dict[str, Any]) -> None:
    """What is too large for its key is told of by what reads the key, so far as it can be quoted."""
    left: list[tuple[str, Any]] = list(found.items())
    while left:
        key, value = left.pop()
        if isinstance(value, dict):
            left += value.items()
        elif isinstance(value, list):
            left += [(key, one) for one in value]
        elif isinstance(value, int) and value.bit_length() > _BITS:
            raise ValueError(f"{key} is a whole number of {value.bit_length()} bits")


def expanded(file: Path, error: type[RefusedError], remedy: str, *, named_by: str = "") -> Path:
    """The path with `~` as the home folder. Raises `error` where there is no such user."""
    try:
        return file.expanduser()
    except RuntimeError as failed:
        told = str(failed).removesuffix(".")
        raise error(f"{called(file, named_by)}: can't be read: {told}; {remedy}") from None


def called(file: Path, named_by: str) -> str:
    """The name of a file in errors."""
    return f"{file} (named by {named_by})" if named_by else str(file)


def _place(before: str) -> str:
    """Line and column behind this text, in the words of tomllib."""
    return f"at line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}"
