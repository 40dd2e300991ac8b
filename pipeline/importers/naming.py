"""What columns of a table mean, by their names.

Known are `time`, `timestamp`, `t`, `epoch` and the like; `used`, `total`, `avail`, `free`, `own` with a pool in front
(`ram.used`, `mem_used`, `cuda:0.used`, `gpu1_total`; `ram` without one), `cpu`, `util` and `load`, `swap_used`, and
utilisation, temperature and power of a GPU. A unit may stand behind: `used_mib`, `mem.used [GiB]`, `util_pct`. Names
that glances writes are known as well. Without a unit memory is in bytes (or `unit=`), and a fraction is one.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from .asked import Asked
from .quantities import UNITS, number, percent, size
from .source import Unsaid
from .vocabulary import BYTES, is_field

TIMES = (
    "t", "time", "timestamp", "datetime", "date_time", "date", "ts", "elapsed", "elapsed_time", "seconds", "now.iso",
    "epoch",
)  # fmt: skip
"""Names of a column of times. The first that holds dates is taken, else the first."""

_UNIT = re.compile(
    r"(?i)(?P<base>.+?)(?:[_ .]?[\[(](?P<bracket>[^\[\]()]+)[\])]|[_ .](?P<tail>bytes|[kmgt]i?b|pct|percent|%|c|w))$"
)
_POOL = re.compile(
    r"(?:(?P<pool>ram|memory|memswap|mem|swap|mps|vram|cuda[:_.]?\d+|gpu[:_.]?\d*)[._ ])?"
    r"(?P<part>total|limit|used|usage|available|avail|free|own|reserved|in|"
    r"util(?:i[sz]ation)?|load|temperature|temp|power)"
)
_UNITS = {"pct": "%", "percent": "%", **{name.lower(): name for name in UNITS if name.endswith(("iB", "bytes"))}}
_AMBIGUOUS = ("kb", "mb", "gb", "tb")
_PARTS = {"limit": "total", "usage": "used", "available": "avail", "utilization": "utilisation", "util": "utilisation",
          "load": "utilisation", "temp": "temperature"}  # fmt: skip
_WHOLE = {"cpu": "cpu", "util": "cpu", "utilisation": "cpu", "utilization": "cpu", "load": "load", "load1": "load"}
_GLANCES = {"cpu.total": ("cpu", "%"), "load.min1": ("load.sum", ""), "load.cpucore": ("load.cores", "")}

Read = Callable[[str], float | None]


class Meaning(NamedTuple):
    """A field, and how to read a cell of it."""

    field: str
    read: Read


def meaning(column: str, asked: Asked) -> Meaning | None:
    """The field that a column holds, by its name; None for a name that is not known.

    >>> [m.field for name in ("used_mib", "mem.available", "gpu1_total") if (m := meaning(name, Asked()))]
    ['ram.used', 'ram.avail', 'cuda:1.total']
    """
    name = column.strip().lower()
    if name in _GLANCES:
        field, unit = _GLANCES[name]
        return Meaning(field, reader(field, unit, asked))
    base, unit = split_unit(column.strip())
    base = base.lower()
    field = _WHOLE.get(base) or _pool_field(base)
    return None if field is None else Meaning(field, reader(field, unit, asked))


def split_unit(column: str) -> tuple[str, str]:
    """A column's name and its unit, "" without one.

    >>> split_unit("used_mib"), split_unit("memory [GiB]"), split_unit("used")
    (('used', 'MiB'), ('memory', 'GiB'), ('used', ''))
    """
    found = _UNIT.fullmatch(column)
    if found is None:
        return column, ""
    unit = (found["bracket"] or found["tail"]).lower()
    return found["base"], _UNITS.get(unit, unit)


def reader(field: str, unit: str, asked: Asked) -> Read:
    """How to read a cell of a field whose column names `unit`.

    Raises Unsaid for `mb` and the like: some mean 1000 by it, and some 1024.
    """
    part = field.rpartition(".")[2]
    if part in (*BYTES, "free") or field == "swap.in":
        if unit in _AMBIGUOUS:
            if asked.unit is None:
                raise Unsaid(f"{unit} of {field} can mean 1000 or 1024", 'pass unit=, such as unit="MiB"')
            unit = asked.unit
        return lambda text: size(text, unit or asked.unit or "B")
    if unit == "%":
        return percent
    return lambda text: percent(text) if text.rstrip().endswith("%") else number(text)


def _pool_field(base: str) -> str | None:
    found = _POOL.fullmatch(base)
    if found is None:
        return None
    pool, part = found["pool"] or "ram", _PARTS.get(found["part"], found["part"])
    if pool in ("swap", "memswap"):
        pool = "swap"
    elif pool in ("ram", "mem", "memory"):
        pool = "ram"
        if part == "free":
            return None  # of RAM, free is far less than what a new allocation can have
    elif pool != "mps":
        pool = f"cuda:{re.sub(r'[^0-9]', '', pool) or 0}"
        part = "avail" if part == "free" else part
    field = f"{pool}.{part}"
    return field if is_field(field) else None
