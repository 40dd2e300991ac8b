"""Series of numbers over time: the rate of a counter, and how busy the CPUs are from their idle counters."""

from collections.abc import Mapping, Sequence

Series = Mapping[float, float | None]
"""Value by time in seconds, in the order of the file."""


def rates(series: Series) -> dict[float, float | None]:
    """Growth a second since the value before; None at the first, after a missing one, and where the counter restarted.

    >>> rates({0.0: 5.0, 2.0: 9.0, 4.0: 1.0})
    {0.0: None, 2.0: 2.0, 4.0: None}
    """
    found: dict[float, float | None] = {}
    last: tuple[float, float] | None = None
    for time, value in series.items():
        grown = None if last is None or value is None or time <= last[0] else (value - last[1]) / (time - last[0])
        found[time] = None if grown is None or grown < 0 else grown
        last = None if value is None else (time, value)
    return found


def busy_fraction(idle: Sequence[Series], cores: int) -> dict[float, float | None]:
    """Busy fraction of all cores, from the counters of seconds in which each did nothing.

    >>> busy_fraction([{0.0: 10.0, 4.0: 13.0}, {0.0: 20.0, 4.0: 21.0}], cores=2)
    {0.0: None, 4.0: 0.5}
    """
    grown = [rates(series) for series in idle]
    found: dict[float, float | None] = {}
    for time in dict.fromkeys(time for series in grown for time in series):
        parts = [series.get(time) for series in grown]
        known = [part for part in parts if part is not None]
        found[time] = min(1.0, max(0.0, 1 - sum(known) / cores)) if len(known) == len(parts) else None
    return found
