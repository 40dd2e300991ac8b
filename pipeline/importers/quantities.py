"""Numbers, bytes and fractions from text. Whatever stands for "no reading" is None, never 0."""

import math
import re

UNITS = {
    "B": 1, "bytes": 1,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
    "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
}  # fmt: skip
"""Bytes in each unit of memory. Those that end in `i` or `iB` are powers of 1024, the others of 1000."""

_MISSING = {"", "-", "n/a", "na", "nan", "nat", "none", "null", "err!", "unknown error", "+inf", "-inf", "inf"}
_QUANTITY = re.compile(r"([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)\s*(%|[A-Za-z]*)")


def is_missing(text: str) -> bool:
    """
    >>> [is_missing(text) for text in ("[N/A]", "[Not Supported]", "-", "NaN", "", "0")]
    [True, True, True, True, True, False]
    """
    text = text.strip()
    return text.lower() in _MISSING or (text.startswith("[") and text.endswith("]"))


def quantity(text: str) -> tuple[float, str] | None:
    """A number and the unit behind it ("" if none), None for a missing reading. Raises ValueError for anything else.

    >>> quantity("1129 MiB"), quantity("12"), quantity("[N/A]")
    ((1129.0, 'MiB'), (12.0, ''), None)
    """
    text = text.strip()
    found = _QUANTITY.fullmatch(text)
    if found is not None:
        value = float(found[1])
        return (value, found[2]) if math.isfinite(value) else None
    if is_missing(text):
        return None
    raise ValueError(f"{text!r} is not a number")


def number(text: str) -> float | None:
    """A number; a unit behind it is passed over. Raises ValueError for anything that is neither that nor missing."""
    found = quantity(text)
    return None if found is None else found[0]


def percent(text: str) -> float | None:
    """A fraction from text in percent.

    >>> percent("25 %")
    0.25
    """
    value = number(text)
    return None if value is None else value / 100


def size(text: str, unit: str) -> float | None:
    """Bytes; a number that has no unit of its own is in `unit`. Raises ValueError for a unit that isn't in UNITS.

    >>> size("3", "KiB"), size("1.5 GiB", "KiB")
    (3072.0, 1610612736.0)
    """
    found = quantity(text)
    if found is None:
        return None
    value, own = found
    if (own or unit) not in UNITS:
        raise ValueError(f"{own or unit!r} is no unit of memory")
    return value * UNITS[own or unit]
