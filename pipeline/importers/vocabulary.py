"""The names of fields that a reading has.

A field is `time`, `cpu` (busy fraction), `load` (runnable tasks for each core), `swap.used`, `swap.total`,
`swap.free` (bytes), `swap.in` (bytes a second), `pressure.memory.some` and the like (fractions), or belongs to a pool:
`ram.used`, `cuda:0.total`. Of a pool there are `total`, `used`, `avail` (what a new allocation could have), `reserved`
(by the driver), `own` (bytes), `utilisation` (fraction), `temperature` (°C) and `power` (watts).
"""

import re

__all__ = ["BYTES", "DEVICE", "is_field"]

BYTES = ("total", "used", "avail", "reserved", "own")
"""What a pool may tell in bytes: `ram.used` and the like."""

DEVICE = ("utilisation", "temperature", "power", "reserved")
"""What an accelerator tells of itself besides: `cuda:0.power` and the like."""

_FIELD = re.compile(
    r"time|cpu|load|swap\.(?:used|total|free|in)|pressure\.(?:memory|cpu|io)\.(?:some|full)"
    rf"|ram\.(?:{'|'.join(BYTES)})|(?:mps|cuda:\d+)\.(?:{'|'.join({*BYTES, *DEVICE})})"
)


def is_field(name: str) -> bool:
    """Is `name` one of these?

    >>> is_field("cuda:1.used"), is_field("vram")
    (True, False)
    """
    return _FIELD.fullmatch(name) is not None
