"""How far sliding lines are from numpy's after millions of events at epoch times and huge values."""

import random
import sys
from collections import deque

import numpy as np
from gearshift.operators.trend import TrendWindow
from river import stats, utils

EVENTS = 10_000_000
CHECKS = 200
WINDOW = 600.0


def fit(points: deque[tuple[float, float]]) -> np.ndarray:
    """Level at the last point, slope and spread, in extended precision."""
    t, v = np.array(points, dtype=np.longdouble).T
    from_mean = t - t.mean()
    slope = (from_mean * (v - v.mean())).sum() / (from_mean**2).sum()
    level = v.mean() + slope * from_mean[-1]
    spread = np.sqrt(((v - v.mean() - slope * from_mean) ** 2).mean())
    return np.array([level, slope, spread])


def main(events: int = EVENTS) -> None:
    draw = random.Random(1)
    state, kept = TrendWindow(WINDOW), deque[tuple[float, float]]()
    cov, var = utils.Rolling(stats.Cov, window_size=500), utils.Rolling(stats.Var, window_size=500)
    time, value, worst, theirs = 1.7e9, 1e12, np.zeros(3), 0.0
    river_until, every = events // 20, events // CHECKS
    last = deque[tuple[float, float]](maxlen=500)
    for i in range(1, events + 1):
        time += draw.random() * 2
        value += draw.gauss(0, 1e9)
        if value < 1e11:
            value = 1e12
        line = state.update(value, time)
        kept.append((time, value))
        while kept[0][0] < time - WINDOW:
            kept.popleft()
        if i <= river_until:
            last.append((time, value))
            cov.update(time, value)
            var.update(time)
            if i % (river_until // 10) == 0:
                theirs = max(theirs, abs(cov.get() / var.get() / float(fit(last)[1]) - 1))
        if i % every == 0:
            assert line is not None
            worst = np.maximum(worst, np.abs(np.array([line.level, line.slope, line.spread]) / fit(kept) - 1))
    print(f"largest relative difference from numpy, {events:,} events, {CHECKS} checks (times 1.7e9 s, values 1e12):")
    print(f"  gs.trend: level {worst[0]:.1e}, slope {worst[1]:.1e}, spread {worst[2]:.1e}")
    print(f"  river's rolling Cov / Var: slope {theirs:.1e} ({river_until:,} events, 10 checks)\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
