"""Values as people read them, by the names of the fields that hold them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..about import BYTES, FRACTION, SECONDS
from ..settings import ABOUT
from ..words import GIB, Decision, gib
from .clock import dated


def _settings_in(unit: str) -> list[str]:
    return [name for name, about in ABOUT.items() if about.unit == unit]


_BYTES = frozenset((
    "total", "used", "own", "external", "need", "back_at", "reserved", "swap_used", "bound", "base", "margins",
    "memory", "per_token", "held", "expected", "got", "value", "level", "spread", "freed", "headroom",
    *_settings_in(BYTES),
))  # fmt: skip
_RATES = frozenset(("slope", "swap_in"))
_SECONDS = frozenset((
    "time", "seconds", "lasted", "back_after", "seconds_left", "waited", "lead", "shift", "shrink", "grow", "span",
    "first_seconds", "Outcome.load", "Outcome.unload", *_settings_in(SECONDS),
))  # fmt: skip
_SHARES = frozenset(("low", "ceiling", "cpu", "some", "full", "utilisation", *_settings_in(FRACTION)))
_SMALL = GIB // 100  # below it, MiB tell more


def told(value: Any, field: str, owner: str = "") -> str:
    """The value of `field`, of a record of the class `owner`: bytes in GiB, fractions in percent, times in seconds.

    >>> told({"ram": 3 << 30}, "need"), told(0.8, "high"), told(3 << 20, "slope"), told(None, "lead")
    ('ram 3.00 GiB', '80%', '3 MiB/s', 'not known')
    """
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {told(one, field, owner)}" for key, one in value.items())
    if fields := fields_of(value):
        return _record(value, fields)
    if isinstance(value, list | tuple):
        return ", ".join(told(one, field, owner) for one in value)
    return _number(value, field, owner) if isinstance(value, int | float) else str(value)


def fields_of(record: Any) -> tuple[str, ...]:
    """Names of the fields of a struct or a named tuple; none for anything else."""
    return getattr(record, "__struct_fields__", None) or getattr(record, "_fields", ())


def label(field: str) -> str:
    """A field's name as words."""
    return field.removesuffix("_gib").replace("_", " ")


def _record(value: Any, fields: tuple[str, ...]) -> str:
    if isinstance(value, Decision):
        return value.explain()
    if "name" in fields:
        return value.name
    owner = type(value).__name__
    parts = ((name, getattr(value, name)) for name in fields)
    return ", ".join(f"{label(name)} {told(one, name, owner)}" for name, one in parts if one not in (None, "", (), {}))


def _number(value: float, field: str, owner: str) -> str:
    if field in _BYTES:
        return gib(value) if not 0 < abs(value) < _SMALL else f"{value / 2**20:.2f} MiB"
    if field in _RATES:
        return f"{value / 2**20:.0f} MiB/s"
    if field in _SECONDS or f"{owner}.{field}" in _SECONDS:
        return f"{round(value, 3):.10g} s"
    if field in _SHARES:
        return f"{round(100 * value, 1):g}%"
    if field == "wall" and dated(value):
        return f"{datetime.fromtimestamp(value).astimezone():%Y-%m-%d %H:%M:%S %Z}"
    unit = {"temperature": " °C", "power": " W"}.get(field, " GiB" if field.endswith("_gib") else "")
    return f"{round(value, 3):.10g}{unit}"
