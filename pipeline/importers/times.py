"""Points in time from text, as seconds.

A date without a zone counts as UTC, so that a file gives the same samples on every machine; only `wall` is off then,
by the hours of that zone.
"""

import re
from datetime import UTC, datetime

DATED = 1e8
"""Numbers from here on (1973) are seconds since 1970, below they are seconds from any other start."""

DAY = 86400.0

_STAMP = re.compile(
    r"\[?(\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|UTC|GMT|[-+]\d\d:?\d\d))?)\]?"
    r"(?:[ \t]*[,;][ \t]*|[ \t]+|$)"
)
_ZONE = re.compile(r" ?(?:UTC|GMT)$")


def stamp(text: str) -> float:
    """Seconds since 1970 of a date with its time of day. Raises ValueError for anything else.

    >>> stamp("2026/01/03 15:36:53.507") == stamp("2026-01-03T16:36:53.507+01:00")
    True
    """
    if not (text.startswith(("1", "2")) and ":" in text):
        raise ValueError(f"{text!r} is not a date with a time")
    try:
        found = datetime.fromisoformat(_ZONE.sub("Z", text.replace("/", "-")))
    except ValueError:
        raise ValueError(f"{text!r} is not a date with a time") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def moment(text: str) -> float:
    """Seconds of a date, or of a number: since 1970 in seconds, milli-, micro- or nanoseconds by its size, or since
    the start of the file. Raises ValueError for anything else.

    >>> moment("1760000000"), moment("1760000000250"), moment("0.5")
    (1760000000.0, 1760000000.25, 0.5)
    """
    text = text.strip()
    try:
        value = float(text)
    except ValueError:
        return stamp(text)
    if not abs(value) < 1e20:
        raise ValueError(f"{text!r} is not a time")
    for limit, factor in ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3)):
        if value >= limit:
            return value / factor
    return value


def time_of_day(text: str) -> float:
    """Seconds since midnight of `HH:MM:SS`. Raises ValueError for anything else."""
    parts = text.split(":")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        raise ValueError(f"{text!r} is not a time of day")
    hours, minutes, seconds = (int(part) for part in parts)
    return hours * 3600.0 + minutes * 60 + seconds


def wall(time: float) -> float:
    """`time` where it is seconds since 1970, else 0.0: unknown."""
    return time if time >= DATED else 0.0


def leading_stamp(text: str) -> tuple[str, str]:
    """A date at the start of a line, as a shell loop puts there, and the rest; ("", text) without one.

    >>> leading_stamp("2026-03-04T05:06:07Z,1, 40")
    ('2026-03-04T05:06:07Z', '1, 40')
    """
    found = _STAMP.match(text.lstrip())
    return (found[1], text.lstrip()[found.end() :]) if found else ("", text)
