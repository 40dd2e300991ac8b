"""The formats that are known, and which of them a file is in."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from ..lines import RecordingError
from . import (
    free,
    nvidia_dmon,
    nvidia_query,
    parquet,
    prometheus,
    psrecord,
    sadf_database,
    sadf_json,
    table,
    vmstat,
)
from .asked import Asked
from .fields import Row
from .source import Source, shortened

HEAD = 4096
"""Characters at the start of a file by which its format is recognised."""


class Format(Protocol):
    """A module that reads one format."""

    @property
    def NAME(self) -> str:
        """What the format is called."""
        ...

    def recognise(self, head: Sequence[str]) -> bool:
        """Whether a file that starts with these lines is in this format."""
        ...

    def read(self, source: Source, asked: Asked) -> Iterator[Row]:
        """The file's rows. Raises RecordingError."""
        ...


FORMATS: tuple[Format, ...] = (
    sadf_json, sadf_database, prometheus, nvidia_dmon, vmstat, psrecord, free, nvidia_query, table,
)  # fmt: skip
"""Each before those that would take its files for theirs."""

TABLES: tuple[Format, ...] = (nvidia_query, prometheus, table)
"""Those that `columns=` means anything to."""


def recognise(source: Source, asked: Asked) -> Format:
    """The format of a file. Raises RecordingError for an unknown one, and for an argument that it has no use for."""
    head = [line for line in source.text[:HEAD].split("\n") if line.strip()]
    if not head:
        raise RecordingError(f"{source.path}:1: an empty file; nothing to import")
    found = next((f for f in FORMATS if f.recognise(head)), None)
    if asked.columns is not None:
        if nvidia_query.is_query(asked.listed):
            return nvidia_query
        if found in (None, nvidia_query):
            return table
        if found not in TABLES:
            raise source.error(source.lines[0], f"columns= for a file of {found.NAME}", "leave it out")
    if found is None:
        known = ", ".join(sorted((*(f.NAME for f in FORMATS), parquet.NAME)))
        raise RecordingError(
            f"{source.path}:1: no format that is known: {shortened(head[0])!r}; known are {known}. "
            'For a table of your own, pass columns={"ram.used": "its name"}'
        )
    if asked.instance is not None and found is not prometheus:
        raise source.error(source.lines[0], f"instance= for a file of {found.NAME}", "leave it out")
    return found
