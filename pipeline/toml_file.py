"""A TOML file that a person wrote: read whole, or refused with one clear error."""

import tomllib
from pathlib import Path
from typing import Any

from .configuring import SettingsError


def read_toml(file: Path, error: type[SettingsError], *, where: str, remedy: str, holds: str) -> dict[str, Any]:
    """What it holds. where: its name in errors. remedy: for a file that can't be read. holds: what would be right.

    Raises `error`: that the file can't be read, or the line and column at which it is no TOML.
    """
    try:
        content = file.read_bytes()
    except OSError as failed:
        raise error(f"{where}: can't be read: {failed.strerror}; {remedy}") from None
    try:
        text = content.decode("utf-8-sig")  # some editors begin a file with a mark that is no part of it
    except UnicodeDecodeError as failed:
        place = _place(content[: failed.start].decode())
        raise error(f"{where}: not TOML: no UTF-8 ({place}); {holds}") from None
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as failed:
        told = str(failed).replace("at end of document", f"{_place(text)}, the end")
        raise error(f"{where}: not TOML: {told}; {holds}") from None


def expanded(file: Path, error: type[SettingsError], remedy: str, *, named_by: str = "") -> Path:
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
