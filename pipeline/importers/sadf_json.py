"""`sadf -j FILE -- -r -u -S`, with -W (swapped in), -q (load and stalls) and others as well.

The total of memory is derived (see `sysstat.total_of`), or named by `totals={"ram": bytes}`. Sampling that was
interrupted and started anew goes on in the same list of samples.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ..lines import RecordingError
from .asked import Asked
from .fields import Row
from .source import BadLine, Line, Source
from .sysstat import KIB, Memory, added, busy, ram, total_of
from .times import stamp

NAME = "sadf -j"

PAGE = 4096
"""Bytes of a page of memory, which sysstat counts swap traffic in; 4096 wherever a desktop or server runs Linux."""

_MEMORY = {
    "free": "memfree", "avail": "avail", "used": "memused", "percent": "memused-percent", "buffers": "buffers",
    "cached": "cached", "commit": "commit", "commit_percent": "commit-percent", "slab": "slab",
}  # fmt: skip


def recognise(head: Sequence[str]) -> bool:
    """Whether this is JSON of sysstat."""
    text = "".join(head[:3]).replace(" ", "")
    return text.startswith('{"sysstat":{')


def read(source: Source, asked: Asked) -> Iterator[Row]:
    """Raises RecordingError where the JSON is damaged, and for an entry that can't be read: the line of its stamp."""
    entries = _entries(source)
    memory = [m for _, _, entry in entries if (m := _memory(entry)) is not None]
    total = asked.totals.get("ram") or total_of(memory)
    missing: dict[str, float | None] = {"ram.used": None} if memory else {}
    for line, cores, entry in entries:
        row = source.kept(line, _row, line, cores, entry, total)
        if row is not None:
            yield row._replace(values=missing | dict(row.values))


def _entries(source: Source) -> list[tuple[Line, int | None, dict[str, Any]]]:
    """Each entry with the line where its time stands, and the number of CPUs."""
    remedy = "run sadf again; a cut end can't be mended"
    try:
        document, end = source.document(remedy, source.blanks(0))
        if source.blanks(end) < len(source.text):
            raise source.damaged(json.JSONDecodeError("Extra data", source.text, end), remedy)
        hosts = document["sysstat"]["hosts"]
        found = [(host.get("number-of-cpus"), entry) for host in hosts for entry in host.get("statistics", [])]
    except (KeyError, TypeError, AttributeError):
        raise RecordingError(f"{source.path}:1: JSON of sysstat without hosts and statistics; run sadf -j") from None
    source.cut = 0  # what parses as a whole was not cut
    places = source.places(r'"timestamp"\s*:')
    return [(line, cores, entry) for line, (cores, entry) in zip(places, found, strict=False)]


def _memory(entry: dict[str, Any]) -> Memory | None:
    cells = entry.get("memory")
    if not isinstance(cells, dict) or "memused" not in cells:
        return None
    found = {name: cells.get(key) for name, key in _MEMORY.items()}
    swap = [cells.get("swpfree"), cells.get("swpused")]
    if not all(value is None or _kib(value) for value in (*found.values(), *swap)):
        return None
    return Memory(**found, swap=added(swap))


def _row(line: Line, cores: int | None, entry: dict[str, Any], total: float | None) -> Row:
    try:
        at = entry["timestamp"]
        time = stamp(f"{at['date']} {at['time']}")
        values: dict[str, float | None] = {}
        memory = _memory(entry)
        if memory is not None:
            values |= ram(memory, total)
        elif "memory" in entry and "memfree" in entry["memory"]:
            raise BadLine("numbers of memory that are none")
        if (used := entry.get("memory", {}).get("swpused")) is not None:
            values["swap.used"] = _number(used) * KIB
        everywhere = [cpu for cpu in entry.get("cpu-load", []) if cpu["cpu"] == "all"]
        if everywhere:
            told = {name: everywhere[0].get(name) for name in ("idle", "iowait")}
            values["cpu"] = busy({name: _number(value) for name, value in told.items() if value is not None})
        if "queue" in entry and cores:
            values["load"] = _number(entry["queue"]["ldavg-1"]) / _number(cores)
        if "swap-pages" in entry:
            values["swap.in"] = _number(entry["swap-pages"]["pswpin"]) * PAGE
        for name, key in (("memory", "psi-mem"), ("io", "psi-io")):
            if stalls := entry.get("psi", {}).get(key):
                values |= {f"pressure.{name}.{part}": _number(stalls[f"{part}_avg"]) / 100 for part in ("some", "full")}
        return Row(line, time, time, values, float(at.get("interval", 0)))
    except (KeyError, TypeError, AttributeError) as error:
        raise BadLine(f"an entry of sysstat that can't be read ({error!r})") from None


def _kib(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) < 2**53


def _number(value: Any) -> float:
    """As a float, which a text is never multiplied by. Raises TypeError, OverflowError."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r:.40} is no number")
    return float(value)
