"""A Sample from the fields of one moment (see `vocabulary`)."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from ..samples import Device, Pool, Pressure, Sample
from .asked import Asked
from .source import BadLine, Line, Unsaid
from .vocabulary import BYTES, DEVICE

UNLIKELY = 16
"""Use may be above the total (a container over its limit), but so many times it is a unit mistaken."""

Values = Mapping[str, float | None]
"""Field → number. None is a field that the file has, without a reading on this line."""


class Row(NamedTuple):
    """What a file says of one moment: seconds, seconds since 1970 (0.0: unknown), and fields. line: where it starts.

    interval: seconds until the next, as far as the file or the caller says.
    """

    line: Line
    time: float
    wall: float
    values: Values
    interval: float = 0.0


def sample_of(row: Row, asked: Asked) -> Sample:
    """The Sample of a row.

    Used memory is total - avail where both are there, else on a GPU used + reserved, where that is told. A pool
    without a number is None and named in `missing`; so are CPU and utilisation whose reading isn't a fraction,
    such as the 400 % of four busy cores.

    Raises Unsaid for a pool whose total neither file nor caller tells, and BadLine for numbers that can't be.
    """
    groups: dict[str, dict[str, float | None]] = {}
    for field, value in row.values.items():
        head, _, part = field.rpartition(".")
        groups.setdefault(head, {})[part] = value
    if not math.isfinite(row.time):
        raise BadLine("no time on this line")
    plain, swap = groups.pop("", {}), groups.pop("swap", {})
    pressure = {name.partition(".")[2]: groups.pop(name) for name in list(groups) if name.startswith("pressure.")}
    pools = {name: _pool(name, parts, asked) for name, parts in groups.items() if not parts.keys().isdisjoint(BYTES)}
    cpu = plain.get("cpu")
    devices = {name: device for name, parts in groups.items() if (device := _device(parts)) is not None}
    strange = ["cpu"] if _beyond(cpu) else []
    strange += [f"{name}.utilisation" for name, parts in groups.items() if _beyond(parts.get("utilisation"))]
    return Sample(
        time=row.time,
        wall=row.wall,
        pools=pools,
        devices=devices,
        cpu=None if "cpu" in strange else cpu,
        load=plain.get("load"),
        swap_used=_swap(swap),
        swap_in=swap.get("in"),
        pressure={name: p for name, parts in pressure.items() if (p := _pressure(parts)) is not None},
        interval=row.interval,
        missing=(*(name for name, pool in pools.items() if pool is None), *strange),
    )


def _pool(name: str, parts: Values, asked: Asked) -> Pool | None:
    avail, used, reserved = parts.get("avail"), parts.get("used"), parts.get("reserved") or 0.0
    total = parts.get("total")
    if total is None:
        total = asked.totals.get(name)
    if total is None and name != "ram" and used is not None and avail is not None:
        total = used + avail + reserved
    if total is None and "total" not in parts and (used is not None or avail is not None):
        held = f"{round(used)} bytes used" if used is not None else f"{round(avail or 0)} bytes free"
        raise Unsaid(f"{name} has {held}, and its total stands nowhere", f'pass totals={{"{name}": bytes}}')
    if total is not None and avail is not None:
        used = total - avail
    elif used is not None and name != "ram":
        used += reserved
    if total is None or used is None:
        return None
    if total <= 0 or used < 0 or used > UNLIKELY * total:
        raise BadLine(f"{name} with {round(total)} bytes in all, of them {round(used)} used, can't be")
    own = min(parts.get("own") or 0.0, used)
    return Pool(round(total), round(used), round(own))


def _device(parts: Values) -> Device | None:
    utilisation, temperature, power, reserved = [parts.get(part) for part in DEVICE]
    if _beyond(utilisation):
        utilisation = None
    if all(part is None for part in (utilisation, temperature, power, reserved)):
        return None
    return Device(utilisation, temperature, power, None if reserved is None else round(reserved))


def _beyond(share: float | None) -> bool:
    """Whether it is no fraction: as a rule percent, of a column that doesn't say so."""
    return share is not None and not 0 <= share <= 1


def _swap(parts: Values) -> int | None:
    used, total, free = (parts.get(part) for part in ("used", "total", "free"))
    if used is None and total is not None and free is not None:
        used = total - free
    return None if used is None else round(used)


def _pressure(parts: Values) -> Pressure | None:
    some, full = parts.get("some"), parts.get("full")
    return None if some is None or full is None else Pressure(some, full)
