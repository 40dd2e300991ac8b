"""Every public name says what it takes, in which units, and what it raises."""

from types import ModuleType

import msgspec
import pytest

from tests.documents.checks import complaints
from tests.documents.public import PAGES, public_modules


@pytest.mark.parametrize("module", public_modules(), ids=PAGES)
def test_the_docstrings_of_public_names_leave_nothing_out(module: ModuleType) -> None:
    assert list(complaints(module)) == []


def bare(size: int) -> int:
    return size


def vague(size: float, name: str) -> None:
    """Do something.

    size: how much of it.
    """
    if size < 0:
        raise ValueError(name)


def told(size: float, spec: str, wait: "list[float]") -> None:
    """Do something to a `spec`. Raises ValueError for one that can't be.

    size: bytes. wait: in seconds, of each.
    """
    if not spec:
        raise ValueError(size, wait)


class Record(msgspec.Struct):
    """A record.

    there: yes.
    """

    there: bool
    missing: str
    share: float = 0.0


class Kept:
    """Keeps things for a time.

    seconds: how long.
    """

    def __init__(self, seconds: float, count: int) -> None:
        self.seconds, self.count = seconds, count

    def put(self, thing: str) -> None:
        """Keep a `thing`."""

    @property
    def all(self) -> list[str]:
        return []

    def drop(self, count: int) -> None:
        """Drop `count` of them."""


def test_what_is_left_out_is_told_by_name() -> None:
    module = ModuleType("sample", "A module.")
    vars(module).update({each.__name__: each for each in (bare, vague, told, Record, Kept)})
    for each in (bare, vague, told, Record, Kept):
        each.__module__ = "sample"
    assert list(complaints(module)) == [
        "sample.bare: no docstring",
        "sample.bare: nothing names size",
        "sample.vague: no unit or range of size",
        "sample.vague: nothing names name",
        "sample.vague: does not say that it raises ValueError",
        "sample.Record: nothing names missing",
        "sample.Record: nothing names share",
        "sample.Kept: nothing names count",
        "sample.Kept.all: no docstring",
        "sample.Kept.drop: no unit or range of count",
    ]
