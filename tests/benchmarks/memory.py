"""Resident memory while millions of events pass through a whole chain of operators."""

import random
import sys
import time

import psutil
from gearshift import operators as gs
from gearshift.operators import Stamped
from reactivex import Subject, compose

EVENTS = 10_000_000


def main(events: int = EVENTS) -> None:
    chain = compose(
        gs.trend(60),
        gs.calibrated(30, 0.05, window=600),
        gs.hysteresis(0.9, 1.1),
        gs.debounce(5),
        gs.stabilize(up=300, down=60),
    )
    source: Subject[Stamped[float]] = Subject()
    emitted = 0

    def count(_: Stamped[bool]) -> None:
        nonlocal emitted
        emitted += 1

    source.pipe(chain).subscribe(count)
    draw, rss, process = random.Random(1), list[float](), psutil.Process()
    began = time.perf_counter()
    for i in range(1, events + 1):
        source.on_next(Stamped(1.7e9 + i, draw.random()))
        if i % (events // 20) == 0:
            rss.append(process.memory_info().rss / 2**20)
    took = time.perf_counter() - began
    warm = rss[1:]
    print(f"{events:,} events through trend, calibrated, hysteresis, debounce, stabilize:")
    print(f"  {took:.0f} s, {emitted:,} emitted")
    print(f"  resident memory after the first tenth: {warm[0]:.2f} MiB, then {min(warm):.2f} to {max(warm):.2f} MiB\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
