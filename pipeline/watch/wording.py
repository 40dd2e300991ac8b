"""Sizes and times as the picture tells them."""

import time as clock

from ..words import GIB
from .story import Story

MIB = 2**20


def gib(count: float) -> str:
    """Bytes, without the unit."""
    return f"{count / GIB:.2f}"


def lasting(seconds: float) -> str:
    """How long.

    >>> [lasting(s) for s in (0.4, 59.0, 150.0, 7260.0, 200_000.0)]
    ['0 s', '59 s', '2 min 30 s', '2 h 01 min', '2 d 07 h']
    """
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60:02} s" if whole % 60 and whole < 300 else "")
    if whole < 86400:
        return f"{whole // 3600} h" + (f" {whole // 60 % 60:02} min" if whole // 60 % 60 else "")
    return f"{whole // 86400} d {whole // 3600 % 24:02} h"


def elapsed(seconds: float) -> str:
    """Since a start.

    >>> elapsed(75.2), elapsed(7325)
    ('1:15', '2:02:05')
    """
    whole = max(0, int(seconds))
    minutes = f"{whole // 60 % 60}:{whole % 60:02}"
    return minutes if whole < 3600 else f"{whole // 3600}:{minutes:0>5}"


def moment(story: Story, time: float) -> str:
    """The time of day where it is known, else what has passed since the first sample."""
    wall = story.wall(time)
    return elapsed(time - story.begin) if wall is None else clock.strftime("%H:%M:%S", clock.localtime(wall))


def pace(slope: float) -> str:
    """Bytes a second, in the unit that suits."""
    if slope == 0:
        return "no trend"
    each = slope / MIB
    return f"{each:+.0f} MiB/s" if abs(each) >= 1 else f"{each * 60:+.1f} MiB/min"
