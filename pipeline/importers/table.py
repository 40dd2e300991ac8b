"""Plain CSV with named columns, between commas, semicolons or tabs (see `naming` for the names that are known).

`columns={"ram.used": "my column"}` reads columns of other names, and then these and the time only. A list names the
columns of a file without a header. Without a column of times, `interval=`.
"""

import csv
from collections.abc import Iterator, Sequence

from .asked import Asked
from .fields import Row
from .naming import TIMES, Meaning, meaning, reader, split_unit
from .source import BadLine, Line, Source
from .times import DATED, moment, wall

NAME = "CSV with named columns"


def recognise(head: Sequence[str]) -> bool:
    """Whether the first line names a column that is known."""
    if not head:
        return False
    names = _cells(head[0], _delimiter(head[0]))
    return any(name.strip().lower() in TIMES or meaning(name, Asked(unit="B")) for name in names)


def read(source: Source, asked: Asked) -> Iterator[Row]:
    """Raises RecordingError for a row that doesn't fit the header, and where no column is known."""
    header, *lines = source.lines
    if asked.listed:
        header, lines = Line(header.number, ",".join(asked.listed)), source.lines
    delimiter = _delimiter(lines[0].text if asked.listed else header.text)
    names = list(asked.listed) or _cells(header.text, delimiter)
    try:
        places = _places(names, asked)
    except BadLine as error:
        raise source.error(header, str(error), error.remedy) from None
    rows = ((line, _cells(line.text, delimiter)) for line in lines if line.text != header.text)
    rows = [(line, cells) for line, cells in rows if source.kept(line, _check, cells, names)]
    clock = _clock(names, asked, rows)
    for count, (line, cells) in enumerate(rows):
        row = source.kept(line, _row, line, cells, places, clock, count, asked)
        if row is not None:
            yield row


def _delimiter(text: str) -> str:
    return max(",;\t", key=text.count)


def _cells(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter, skipinitialspace=True))
    except csv.Error:
        return [text]


def _check(cells: Sequence[str], names: Sequence[str]) -> bool:
    if len(cells) != len(names):
        raise BadLine(f"{len(cells)} columns where the header names {len(names)}")
    return True


def _places(names: Sequence[str], asked: Asked) -> dict[int, Meaning]:
    """What is in each column that is read, by its place."""
    if asked.named:
        if absent := [column for column in asked.named.values() if column not in names]:
            raise BadLine(f"no column {absent[0]!r}", "pass names as the header has them")
        asked_for = {f: column for f, column in asked.named.items() if f != "time"}
        return {
            names.index(column): Meaning(field, reader(field, split_unit(column)[1], asked))
            for field, column in asked_for.items()
        }
    found = {place: m for place, name in enumerate(names) if (m := meaning(name, asked)) is not None}
    if not found:
        raise BadLine("no column that is known", 'pass columns={"ram.used": "its name", "ram.total": "its name"}')
    first = {m.field: place for place, m in reversed(found.items())}
    return {place: m for place, m in found.items() if first[m.field] == place}


def _clock(names: Sequence[str], asked: Asked, rows: Sequence[tuple[Line, list[str]]]) -> int | None:
    """The place of the column of times: the first that holds dates, else the first; None without one."""
    if "time" in asked.named:
        return names.index(asked.named["time"])
    lower = [name.strip().lower() for name in names]
    places = [lower.index(name) for name in TIMES if name in lower]
    for place in places:
        if any(_is_dated(cells[place]) for _, cells in rows[:1]):
            return place
    return places[0] if places else None


def _is_dated(cell: str) -> bool:
    try:
        return moment(cell) >= DATED
    except ValueError:
        return False


def _row(
    line: Line, cells: Sequence[str], places: dict[int, Meaning], clock: int | None, count: int, asked: Asked
) -> Row:
    time = asked.tick(count) if clock is None else moment(cells[clock])
    values = {m.field: m.read(cells[place]) for place, m in places.items()}
    load, cores = values.pop("load.sum", None), values.pop("load.cores", None)
    if load is not None and cores:
        values["load"] = load / cores
    return Row(line, time, wall(time), values, asked.step)
