"""Cost of each operator per event, as a ratio to `ops.map` in the same run."""

import gc
import random
import time
from collections.abc import Callable
from typing import Any

from gearshift import operators as gs
from gearshift.operators import Stamped, Trend
from reactivex import Subject
from reactivex import operators as ops
from reactivex.scheduler import ImmediateScheduler

EVENTS = 30_000
ROUNDS = 7


def series(events: int = EVENTS) -> list[Stamped[float]]:
    draw = random.Random(1)
    return [Stamped(float(i), draw.random()) for i in range(events)]


def once(operator: Callable[[Any], Any], items: list[Any]) -> float:
    """Seconds to push the items through."""
    source: Subject[Any] = Subject()
    seen = source.pipe(operator).subscribe()
    gc.collect()
    began = time.perf_counter()
    for item in items:
        source.on_next(item)
    took = time.perf_counter() - began
    seen.dispose()
    return took


def rounds(operators: dict[str, Callable[[Any], Any]], items: list[Any], n: int = ROUNDS) -> dict[str, float]:
    """Each operator's best of `n` rounds, all operators taking turns, so that a noisy moment hits them alike."""
    best = dict.fromkeys(operators, float("inf"))
    for _ in range(n):
        for name, operator in operators.items():
            best[name] = min(best[name], once(operator, items))
    return best


def table(best: dict[str, float], base: str, events: int) -> None:
    print(f"{'':<46}{'µs/event':>10}{'× ' + base:>24}")
    for name, took in best.items():
        print(f"{name:<46}{took / events * 1e6:>10.2f}{took / best[base]:>24.2f}")
    print()


def main() -> None:
    same = ops.map(lambda item: item)
    levels = [(0.1, 0.2), (0.4, 0.5), (0.7, 0.8)]
    stamped: dict[str, Callable[[Any], Any]] = {
        "ops.map": same,
        "trend(60)": gs.trend(60),
        "trend(60, method='holt')": gs.trend(60, method="holt"),
        "trend(60, method='theil-sen')": gs.trend(60, method="theil-sen"),
        "hysteresis(low, high)": gs.hysteresis(low=0.3, high=0.7),
        "hysteresis(levels=[3])": gs.hysteresis(levels=levels),
        "debounce(5)": gs.debounce(5),
        "debounce(rise=5, fall=60)": gs.debounce(rise=5, fall=60),
        "stabilize(up=300, down=60)": gs.stabilize(up=300, down=60),
        "cooldown(30)": gs.cooldown(30),
        "rate_limit(0.1, per=60)": gs.rate_limit(0.1, per=60),
        "reset_on_gap(30, ops.map)": gs.reset_on_gap(30, same),
        "staleness(30)": gs.staleness(30),
        "conflate(ImmediateScheduler)": gs.conflate(ImmediateScheduler()),
        "serialize()": gs.serialize(),
        "retry_with_backoff()": gs.retry_with_backoff(),
    }
    items = series()
    table(rounds(stamped, items), "ops.map", len(items))

    trends = [Trend(t, v, v, 0.0, 0.1, 60.0, 60) for t, v in items]
    bounds: dict[str, Callable[[Any], Any]] = {
        "ops.map": same,
        "calibrated(30, 0.05, window=600)": gs.calibrated(30, 0.05, window=600),
        "calibrated((5, 30, 120), 0.05, window=600)": gs.calibrated((5, 30, 120), 0.05, window=600),
    }
    table(rounds(bounds, trends), "ops.map", len(trends))

    many = series(400_000)
    windows: dict[str, Callable[[Any], Any]] = {f"trend({n:,})": gs.trend(n) for n in (10, 100, 1_000, 10_000, 100_000)}
    table(rounds({"ops.map": same, **windows}, many, 3), "ops.map", len(many))

    few = series(12_000)
    robust = {f"theil-sen, {n:,} items": gs.trend(n - 1, method="theil-sen") for n in (50, 500, 5_000)}
    table(rounds(robust, few, 1), "theil-sen, 50 items", len(few))


if __name__ == "__main__":
    main()
