"""Rolling statistics beside other ways to compute them, over the same events in the same run."""

from collections.abc import Callable
from typing import Any

import numpy as np
from gearshift import operators as gs
from gearshift.operators import Stamped
from reactivex import operators as ops
from river import stats, utils
from scipy.stats import theilslopes

from tests.benchmarks.operators import rounds, series, table

EVENTS = 6_000
POINTS = 60  # in each window; at one item a second, `trend` holds as many in a window of POINTS - 1 seconds


def polyfit(batch: list[Stamped[float]]) -> tuple[float, float]:
    slope, level = np.polyfit([x.time - batch[-1].time for x in batch], [x.value for x in batch], 1)
    return float(level), float(slope)


def theil_sen(batch: list[Stamped[float]]) -> float:
    return theilslopes([x.value for x in batch], [x.time for x in batch], method="joint").slope


def river_line() -> Callable[[Any], Any]:
    """The slope of a line from river's rolling covariance and variance."""
    cov, var = utils.Rolling(stats.Cov, window_size=POINTS), utils.Rolling(stats.Var, window_size=POINTS)

    def update(item: Stamped[float]) -> float:
        cov.update(item.time, item.value)
        var.update(item.time)
        return cov.get() / (var.get() or 1.0)

    return ops.map(update)


def river_extremes() -> Callable[[Any], Any]:
    """What `stabilize` needs of a window, without its decision."""
    low, high = stats.RollingMin(300), stats.RollingMax(60)

    def update(item: Stamped[float]) -> tuple[float, float]:
        low.update(item.value)
        high.update(item.value)
        return low.get(), high.get()

    return ops.map(update)


def river_quantile() -> Callable[[Any], Any]:
    """What `calibrated` needs of its errors, without forecasts and adaptation."""
    quantile = stats.RollingQuantile(0.95, 600)

    def update(item: Stamped[float]) -> float:
        quantile.update(item.value)
        return quantile.get()

    return ops.map(update)


def main() -> None:
    items = series(EVENTS)
    beside: dict[str, Callable[[Any], Any]] = {
        "gs.trend, 60 points": gs.trend(POINTS - 1),
        "river Cov, Var, 60 points": river_line(),
        "buffer_with_count(60, 1) + polyfit": lambda s: s.pipe(ops.buffer_with_count(POINTS, 1), ops.map(polyfit)),
        "gs.trend theil-sen, 60 points": gs.trend(POINTS - 1, method="theil-sen"),
        "buffer_with_count(60, 1) + theilslopes": lambda s: s.pipe(
            ops.buffer_with_count(POINTS, 1), ops.map(theil_sen)
        ),
        "gs.stabilize(up=300, down=60)": gs.stabilize(up=299, down=59),
        "river RollingMin(300), RollingMax(60)": river_extremes(),
        "gs.calibrated, 600 errors": gs.calibrated(
            1, 0.05, window=599, forecast=lambda item, seconds: item.value + 0 * seconds
        ),
        "river RollingQuantile(0.95, 600)": river_quantile(),
    }
    table(rounds(beside, items, 3), "gs.trend, 60 points", EVENTS)


if __name__ == "__main__":
    main()
