"""`free -b -s N`, in any unit and with -w, -t, -l, -v.

free shows no times: `interval=`, the N of -s. Nor does it show its unit, except with -h. It is told from the numbers:
all multiples of 1024 are bytes; all multiples of 4 are KiB (memory comes in pages); else a total from 256 to a
million is taken as MiB (-m). Anything else, and units of 1000, need `unit=`. Used is total - available; where an old
free shows no "available", free + buffers + cache counts as such. With -h all but the smaller numbers are too
coarse to subtract, so that used is what free calls used; letters alone (`23G`) are powers of 1000.
"""

from collections.abc import Iterator, Sequence

from .asked import Asked
from .fields import Row
from .quantities import quantity, size
from .source import BadLine, Line, Source, require

NAME = "free -s"

_OTHERS = ("Low:", "High:", "Total:", "Comm:", "-/+")


def recognise(head: Sequence[str]) -> bool:
    """Whether the first lines are a block of free."""
    return any(line.split()[:3] == ["total", "used", "free"] for line in head) and any(
        line.startswith("Mem:") for line in head
    )


def read(source: Source, asked: Asked) -> Iterator[Row]:
    """Raises RecordingError for a line that isn't of free's, and where the unit can't be told."""
    unit = asked.unit or _unit(source)
    names: list[str] = []
    count = -1
    row: Row | None = None
    for line in source:
        label, *cells = line.text.split()
        if label == "total":
            names, count = [label, *cells], count + 1
        elif label == "Mem:":
            if row is not None:
                yield row
            row = source.kept(line, _memory, line, names, cells, count, unit, asked)
        elif label == "Swap:":
            used = source.kept(line, _bytes, cells, 1, unit)
            if row is not None:
                row = row._replace(values={**row.values, "swap.used": used})
        elif label not in _OTHERS:
            source.kept(line, _unknown)
    if row is not None:
        yield row


def _unknown() -> None:
    raise BadLine("not a line of free")


def _bytes(cells: list[str], place: int, unit: str) -> float:
    value = size(cells[place], unit) if place < len(cells) else None
    if value is None:
        raise BadLine(f"no number in column {place + 1}")
    return value


def _memory(line: Line, names: list[str], cells: list[str], count: int, unit: str, asked: Asked) -> Row:
    if len(cells) != len(names):
        raise BadLine(f"{len(cells)} numbers where free's header names {len(names)}")
    require(names, "used", "free")
    sizes = {name: _bytes(cells, place, unit) for place, name in enumerate(names)}
    avail = sizes.get("available")
    if avail is None:
        avail = sizes["free"] + sum(sizes.get(name, 0.0) for name in ("buffers", "cache", "cached", "buff/cache"))
    values = {"ram.total": sizes["total"], "ram.avail": avail}
    if _plain(cells[0]) is None:
        values = {"ram.total": sizes["total"], "ram.used": sizes["used"]}
    return Row(line, asked.tick(count), 0.0, values, asked.step)


def _unit(source: Source) -> str:
    """The unit of numbers that have none. Raises RecordingError where it can't be told."""
    lines = [line for line in source if line.text.startswith("Mem:")]
    found = [_plain(word) for line in lines for word in line.text.split()[1:]]
    numbers = [n for n in found if n is not None]
    if not numbers:
        return "B"
    for unit, step, least in (("B", 1024, 2**26), ("KiB", 4, 2**16)):
        if all(n % step == 0 for n in numbers) and max(numbers) >= least:
            return unit
    if 256 <= max(numbers) <= 2**20:
        return "MiB"
    raise source.error(lines[0], "free doesn't say its unit", 'pass unit=, such as unit="MiB"')


def _plain(word: str) -> int | None:
    try:
        found = quantity(word)
    except ValueError:
        return None
    return int(found[0]) if found and not found[1] else None
