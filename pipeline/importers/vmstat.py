"""`vmstat -t N`, with -w, -a and -S as well.

vmstat shows no total: `totals={"ram": bytes}`. Used is total - free - buffers - cache, some hundreds of MiB less than
total - available, since shared memory counts as cache here and the kernel keeps a reserve. With -a the cache isn't
shown, and inactive memory holds what programs keep, so all that isn't free counts as used. Numbers are KiB unless
`unit=` says what -S asked for.

The first line of a run is a mean since boot, so the first reading has neither `cpu` nor `swap_in`. Without -t there
are no times: `interval=`. Dates are in the zone of the machine, and vmstat names it in a way that can't be resolved:
they count as UTC.
"""

from collections.abc import Iterator, Sequence

from .asked import Asked
from .fields import Row
from .quantities import UNITS, number, percent, size
from .source import BadLine, Line, Source, require
from .times import stamp

NAME = "vmstat -t"


def recognise(head: Sequence[str]) -> bool:
    """Whether vmstat's header is among the first lines."""
    return any({"swpd", "free", "si", "so"} <= set(line.split()) for line in head)


def read(source: Source, asked: Asked) -> Iterator[Row]:
    """Raises RecordingError for a line that isn't of vmstat's."""
    names: list[str] = []
    count = 0
    for line in source:
        tokens = line.text.split()
        if line.text.lstrip(" -").startswith("procs"):
            continue
        if "swpd" in tokens:
            names = tokens if tokens[-1] in _LAST else tokens[:-1]
            continue
        row = source.kept(line, _row, line, tokens, names, count, asked)
        count += 1
        if row is not None:
            yield row


_LAST = ("id", "wa", "st", "gu")


def _row(line: Line, tokens: list[str], names: list[str], count: int, asked: Asked) -> Row:
    extra = len(tokens) - len(names)
    if not names or extra not in (0, 2):
        raise BadLine(f"{len(tokens)} words where vmstat's header names {len(names)} columns")
    when = stamp(" ".join(tokens[-2:])) if extra else None
    cells = dict(zip(names, tokens, strict=False))
    require(cells, "free", "swpd", "si")
    unit = asked.unit or "KiB"
    sizes = {name: _known(cells[name], unit) for name in ("free", "buff", "cache", "swpd") if name in cells}
    idle = [percent(cells[name]) or 0.0 for name in ("id", "wa") if name in cells]
    back = number(cells["si"])
    return Row(
        line,
        asked.tick(count) if when is None else when,
        when or 0.0,
        {
            "ram.avail": sizes["free"] + sizes.get("buff", 0.0) + sizes.get("cache", 0.0),
            "swap.used": sizes["swpd"],
            "swap.in": None if count == 0 or back is None else back * UNITS[unit],
            "cpu": None if count == 0 else max(0.0, 1 - sum(idle)),
        },
        asked.step,
    )


def _known(text: str, unit: str) -> float:
    value = size(text, unit)
    if value is None:
        raise BadLine(f"{text!r} where vmstat shows a number")
    return value
