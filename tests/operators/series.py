"""Long series of each kind that a bound has to hold on, and how often it was exceeded."""

import math
import random
from collections.abc import Callable, Iterator, Sequence

from gearshift.operators import Stamped, calibrated, trend
from reactivex import Subject

POINTS = 100_000


def stationary(points: int = POINTS) -> Iterator[float]:
    """An autoregression: x = 0.9 x + noise."""
    draw, x = random.Random(1), 0.0
    for _ in range(points):
        x = 0.9 * x + draw.gauss(0, 1)
        yield x


def trending(points: int = POINTS) -> Iterator[float]:
    """Climbs whose steepness changes, under noise."""
    draw, x = random.Random(2), 0.0
    for i in range(points):
        x += 0.05 + 0.04 * math.sin(i / 3000)
        yield x + draw.gauss(0, 1)


def heteroscedastic(points: int = POINTS) -> Iterator[float]:
    """Noise whose strength swings between 0.1 and 10, over a minute to hours."""
    draw = random.Random(3)
    for i in range(points):
        yield draw.gauss(0, 10 ** (math.sin(i / 4000) * math.sin(i / 300)))


def regime_switching(points: int = POINTS) -> Iterator[float]:
    """Every half hour on average another level, slope, strength of noise and persistence."""
    draw, x, left = random.Random(4), 0.0, 0
    level = slope = noise = keep = 0.0
    for _ in range(points):
        if left == 0:
            left = 1 + int(draw.expovariate(1 / 1800))
            level, slope = draw.uniform(-50, 50), draw.choice([0.0, 0.0, 0.1, -0.1])
            noise, keep = draw.choice([0.1, 1.0, 5.0]), draw.choice([0.0, 0.9, 0.99])
        left -= 1
        level += slope
        x = keep * x + draw.gauss(0, noise)
        yield level + x


def standing_still(points: int = POINTS) -> Iterator[float]:
    """Hours in which nothing moves, then hours of noise, and so on."""
    draw = random.Random(5)
    for i in range(points):
        yield 0.5 if i // 10_000 % 2 == 0 else 0.5 + draw.gauss(0, 0.05)


def stepping(points: int = POINTS) -> Iterator[float]:
    """Whole numbers that stand still and step now and then, as memory in use does."""
    draw, x = random.Random(6), 0
    for _ in range(points):
        if draw.random() < 0.02:
            x = max(0, x + draw.choice([-300, -40, 40, 300]))
        yield float(x)


SERIES: dict[str, Callable[[], Iterator[float]]] = {
    "stationary": stationary,
    "trending": trending,
    "heteroscedastic": heteroscedastic,
    "regime switching": regime_switching,
    "stepping": stepping,
}


def misses(
    values: Iterator[float], horizons: Sequence[int], *, alpha: float, window: float = 600, look_back: float = 60
) -> list[float]:
    """The share of values, one a second, above the bound that was set for them `horizon` seconds before."""
    seen = list(values)
    source: Subject[Stamped[float]] = Subject()
    beyond, bounds = [0] * len(horizons), 0

    def count(bound: Stamped[tuple[float, ...]]) -> None:
        nonlocal bounds
        at = int(bound.time)
        if at + max(horizons) < len(seen):
            bounds += 1
            for i, (horizon, limit) in enumerate(zip(horizons, bound.value, strict=True)):
                beyond[i] += seen[at + horizon] > limit

    source.pipe(trend(look_back), calibrated(horizons, alpha, window=window)).subscribe(count)
    for t, value in enumerate(seen):
        source.on_next(Stamped(float(t), value))
    return [n / bounds for n in beyond]
