"""Durations and sizes as they are typed."""

import math
import re

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_LONGEST = 100  # characters of what somebody types
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", re.IGNORECASE)


def seconds(text: str) -> float:
    """Seconds above 0. Raises ValueError.

    >>> seconds("90"), seconds("1h30m"), seconds("0.5 h")
    (90.0, 5400.0, 1800.0)
    >>> seconds("soon")
    Traceback (most recent call last):
    ValueError: 'soon' is no duration; give seconds, or such as 90s, 5m, 1h30m, 2d
    """
    plain = text.strip().lower()
    parts = _PART.findall(plain) if len(plain) <= _LONGEST else []
    whole = "".join(_PART.sub("", plain).split())
    if parts and not whole and all(unit in _SECONDS for _, unit in parts):
        total = math.fsum(float(number) * _SECONDS[unit] for number, unit in parts)
        if math.isfinite(total) and total > 0:
            return total
    raise ValueError(f"{text!r} is no duration; give seconds, or such as 90s, 5m, 1h30m, 2d")


def size(text: str) -> int:
    """Bytes, at least 1: K, M, G, T are powers of 1000, and of 1024 with an i. Raises ValueError.

    >>> size("500M"), size("1.5 GiB"), size("4096")
    (500000000, 1610612736, 4096)
    >>> size("much")
    Traceback (most recent call last):
    ValueError: 'much' is no size; give bytes, or such as 500M, 2GiB
    """
    found = _SIZE.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if found is not None:
        count = float(found[1]) * (1024 if found[3] else 1000) ** _BYTES[found[2].lower()]
        if 1 <= count < math.inf:
            return int(count)
    raise ValueError(f"{text!r} is no size; give bytes, or such as 500M, 2GiB")
