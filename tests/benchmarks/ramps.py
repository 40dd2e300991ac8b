"""Seeded rises, one after the other, for asking how early they are seen.

All assumed: others hold 12 to 25 % of 16 GiB. Every few minutes they rise to 25 to 85 % in a straight line, over 5 to
600 s (each octave alike), stay there for 30 to 300 s, and fall back within 1 to 20 s. Noise of 0.03 to 1 % of the total
lies over it, from sample to sample, or lasting for 5 or 30 s.

    python -m tests.benchmarks.ramps     # draws the first eight
"""

import math
import random
from bisect import bisect_right
from itertools import pairwise

from gearshift.pipeline import Pool, Sample

from tests.benchmarks.desktops import GIB, sparkline

_LEAST, _MOST = 0.03, 0.97


def ramps(seed: int, hours: float = 1, total: int = 16 * GIB, interval: float = 1.0) -> list[Sample]:
    """Samples of `ram` with `total` bytes, `interval` seconds apart, for so many hours. Equal seeds, equal ramps."""
    draw = random.Random(seed)
    end = hours * 3600
    corners = _corners(draw, end)
    begins = [time for time, _ in corners]
    size = 10 ** draw.uniform(-3.5, -2)
    lasts = draw.choice([0.0, 5.0, 30.0])
    keep, noise = math.exp(-interval / lasts) if lasts else 0.0, 0.0
    samples: list[Sample] = []
    for i in range(int(end / interval)):
        time = i * interval
        noise = keep * noise + draw.gauss(0, size) * math.sqrt(1 - keep**2)
        (since, low), (until, high) = corners[(at := bisect_right(begins, time)) - 1], corners[at]
        share = low + (high - low) * (time - since) / (until - since) + noise
        used = int(min(_MOST, max(_LEAST, share)) * total)
        samples.append(Sample(round(time, 6), {"ram": Pool(total, used)}, interval=interval))
    return samples


def _corners(draw: random.Random, end: float) -> list[tuple[float, float]]:
    """Seconds and fractions between which use runs in straight lines, until after `end`."""
    base = draw.uniform(0.12, 0.25)
    time, found = draw.uniform(60, 400), [(0.0, base)]
    while time < end:
        rise = math.exp(draw.uniform(math.log(5), math.log(600)))
        top = max(base + 0.1, draw.uniform(0.25, 0.85))
        stays, falls = draw.uniform(30, 300), draw.uniform(1, 20)
        found += [(time, base), (time + rise, top), (time + rise + stays, top), (time + rise + stays + falls, base)]
        time = found[-1][0] + draw.uniform(120, 700)
    found.append((time, base))
    assert all(before < after for (before, _), (after, _) in pairwise(found))
    return found


def main() -> None:
    for seed in range(8):
        print(f"{seed}  {sparkline(ramps(seed))}")


if __name__ == "__main__":
    main()
