"""Seeded desktops: the memory of somebody's working day, for comparing policies where no recording will do.

What they are made of, all of it assumed, with the sizes of common programs on a machine with 16 GiB:

- the system: 15 to 20 % of the total, under noise that lasts some tens of seconds;
- programs, 3 to 4.5 an hour by chance (Poisson). Each opens, is used for 1 to 90 minutes (lognormal, median 20), and
  closes within 1 to 3 s. Their sizes are lognormal too, 2 to 30 % of the total, median 8 %.
  Two in three open within 1 to 10 s (a browser, an editor, a game); one in six rises over 2 to 8 minutes (a build, a
  notebook with data); one in six starts small and leaks up to 15 % more over its whole time;
- spikes, 2 an hour by chance: 3 to 15 s of 4 to 20 % (the link step of a compiler).

Demands that overlap can leave no room for even a small model; they are cut at 97 % of the total.

    python -m tests.benchmarks.desktops     # draws the first eight
"""

import math
import random
from collections.abc import Callable

from gearshift.pipeline import Pool, Sample

GIB = 2**30
_CUT = 0.97

Demand = tuple[float, float, Callable[[float], float]]  # from, until (seconds), fraction of the total at a time


def desktop(seed: int, hours: float = 4, total: int = 16 * GIB, interval: float = 1.0) -> list[Sample]:
    """Samples of `ram` with `total` bytes, `interval` seconds apart, for so many hours. Equal seeds, equal desktops."""
    draw = random.Random(seed)
    end = hours * 3600
    demands = sorted([*_programs(draw, end), *_spikes(draw, end)], key=lambda demand: demand[0])
    system, noise = draw.uniform(0.15, 0.20), 0.0
    keep = math.exp(-interval / 30)
    samples: list[Sample] = []
    for i in range(int(end / interval)):
        time = i * interval
        noise = keep * noise + draw.gauss(0, 0.004) * math.sqrt(1 - keep**2)
        share = system + noise + sum(at(time) for since, until, at in demands if since <= time < until)
        used = int(min(_CUT, max(0.05, share)) * total)
        samples.append(Sample(round(time, 6), {"ram": Pool(total, used)}, interval=interval))
    return samples


def _programs(draw: random.Random, end: float) -> list[Demand]:
    found: list[Demand] = []
    rate = draw.uniform(3.0, 4.5) / 3600
    time = draw.uniform(-1200, 0)  # something is open already
    while time < end:
        lasts = min(90 * 60.0, max(60.0, draw.lognormvariate(math.log(20 * 60), 0.8)))
        size = min(0.30, max(0.02, draw.lognormvariate(math.log(0.08), 0.8)))
        opens, leaks = draw.uniform(1, 10), 0.0
        kind = draw.choice(["app", "app", "app", "app", "build", "leak"])
        if kind == "build":
            opens, lasts = draw.uniform(120, 480), max(lasts, 600.0)
        elif kind == "leak":
            size, leaks, lasts = size / 2, draw.uniform(0.05, 0.15), max(lasts, 1200.0)
        found.append(_program(time, opens, lasts, draw.uniform(1, 3), size, leaks))
        time += draw.expovariate(rate)
    return found


def _program(since: float, opens: float, lasts: float, closes: float, size: float, leaks: float) -> Demand:
    def at(time: float) -> float:
        age = time - since
        held = size * min(1.0, age / opens) + leaks * min(1.0, age / lasts)
        return held * min(1.0, max(0.0, 1 - (age - lasts) / closes))

    return since, since + lasts + closes, at


def _spikes(draw: random.Random, end: float) -> list[Demand]:
    found: list[Demand] = []
    time = draw.expovariate(2 / 3600)
    while time < end:
        size, lasts = draw.uniform(0.04, 0.20), draw.uniform(3, 15)
        found.append((time, time + lasts, lambda _, size=size: size))
        time += draw.expovariate(2 / 3600)
    return found


def sparkline(samples: list[Sample], width: int = 120) -> str:
    """The largest use in each of `width` parts, from 0 to 100 %."""
    shares = [pool.used / pool.total for s in samples if (pool := s.pools["ram"]) is not None]
    parts = [shares[i * len(shares) // width : (i + 1) * len(shares) // width] for i in range(width)]
    return "".join("▁▂▃▄▅▆▇█"[min(7, int(max(part) * 8))] for part in parts if part)


def main() -> None:
    for seed in range(8):
        samples = desktop(seed)
        shares = sorted(pool.used / pool.total for s in samples if (pool := s.pools["ram"]) is not None)
        print(f"{seed}  {sparkline(samples)}  {shares[len(shares) // 2]:.0%}, at most {shares[-1]:.0%}")


if __name__ == "__main__":
    main()
