"""Cost of each operator per event, as a ratio to `ops.map` in the same run."""

import time
from collections.abc import Callable
from typing import Any

from gearshift import operators as gs
from gearshift.operators import Stamped
from reactivex import Subject
from reactivex import operators as ops

EVENTS = 50_000


def seconds(*operators: Callable[[Any], Any]) -> float:
    """Best of three runs over the same events."""
    items = [Stamped(float(i), (i * 7919) % 1000 / 1000) for i in range(EVENTS)]
    best = float("inf")
    for _ in range(3):
        source: Subject[Any] = Subject()
        source.pipe(*operators).subscribe()
        began = time.perf_counter()
        for item in items:
            source.on_next(item)
        best = min(best, time.perf_counter() - began)
    return best


def main() -> None:
    base = seconds(ops.map(lambda item: item))
    print(f"{'operator':<22}{'µs/event':>10}{'× ops.map':>11}")
    for name, operator in {
        "ops.map": ops.map(lambda item: item),
        "trend(window=60)": gs.trend(window=60),
        "trend(window=3600)": gs.trend(window=3600),
        "hysteresis": gs.hysteresis(low=0.3, high=0.7),
        "debounce": gs.debounce(seconds=5),
        "stabilize": gs.stabilize(up=300, down=60),
    }.items():
        took = seconds(operator)
        print(f"{name:<22}{took / EVENTS * 1e6:>10.2f}{took / base:>11.2f}")


if __name__ == "__main__":
    main()
