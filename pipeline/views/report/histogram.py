"""Forecast misses by size."""

import math
from collections import Counter
from collections.abc import Sequence

_BINS = 40
_TAIL = 0.005  # of the errors at either end share the outermost bins, so that one jump doesn't squeeze the rest


def histogram(errors: Sequence[float]) -> tuple[float, dict[int, int]]:
    """Width of a bin, and how many errors are above `bin * width` and at most at `(bin + 1) * width`, by bin.

    No bin holds misses and others: those of misses are 0 and up. The outermost also hold all that is beyond them.

    >>> histogram([-0.02, -0.01, 0.0, 0.03])
    (0.002, {-11: 1, -6: 1, -1: 1, 14: 1})
    """
    if not errors:
        return 1.0, {}
    ranked = sorted(errors)
    cut = int(len(ranked) * _TAIL)
    least, most = min(ranked[cut], 0.0), max(ranked[-1 - cut], 0.0)
    width = _round((most - least) / _BINS)
    first, last = _bin(least, width), max(_bin(most, width), 0 if ranked[-1] > 0 else -1)
    counts = Counter(min(max(_bin(error, width), first), last) for error in ranked)
    return width, dict(sorted(counts.items()))


def _bin(error: float, width: float) -> int:
    return math.ceil(round(error / width, 9)) - 1


def _round(width: float) -> float:
    """The next 1, 2 or 5 of any power of ten; 0.001 for nothing."""
    if width <= 0:
        return 0.001
    power = 10.0 ** math.floor(math.log10(width))
    return next(float(f"{step * power:.6g}") for step in (1, 2, 5, 10) if step * power >= width)
