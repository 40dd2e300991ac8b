"""Samples through the whole decision stream: speed as a ratio to eight `ops.map` in the same run, and memory."""

import random
import sys
import time
from collections.abc import Callable
from typing import Any

import psutil
import reactivex
from gearshift.pipeline import Decision, Pool, Residency, Sample, Settings, decision_stream
from gearshift.pipeline.testing import rungs_of, samples_of
from reactivex import Subject
from reactivex import operators as ops

DAY = 86_400
SAMPLES = 10_000_000
TURNS = 5  # of which the fastest counts: whatever else the machine does can only slow them down


def seconds(wire: Callable[[Subject[Any]], Any], items: list[Any]) -> float:
    source: Subject[Any] = Subject()
    wire(source)
    began = time.perf_counter()
    for item in items:
        source.on_next(item)
    return time.perf_counter() - began


def speed() -> None:
    noise = random.Random(1)
    items = samples_of([noise.randint(80, 120) for _ in range(DAY)], own=500)
    ready = reactivex.just(Residency(0.0, "ready", "large"))
    ladder = rungs_of(500, 300, 100)
    turns = [
        (
            seconds(lambda s: s.pipe(*[ops.map(lambda item: item)] * 7, ops.map(lambda item: item)).subscribe(), items),
            seconds(lambda s: decision_stream(s, ready, ladder, Settings()).subscribe(), items),
        )
        for _ in range(TURNS)
    ]
    maps, whole = (min(column) for column in zip(*turns, strict=True))
    print(
        f"a day at 1 Hz: eight ops.map {maps:.2f} s; decision_stream {whole:.2f} s ({DAY / whole:,.0f} samples/s), "
        f"ratio {whole / maps:.1f}"
    )


def memory(samples: int) -> None:
    """Noise with a step up or down each quarter of an hour, obeyed at once."""
    source, residencies = Subject[Sample](), Subject[Residency]()
    rung, shifts = "large", 0

    def obey(decision: Decision) -> None:
        nonlocal rung, shifts
        rung, shifts = decision.target or "small", shifts + 1
        residencies.on_next(Residency(decision.time, "ready", rung, seconds=2.0))

    decision_stream(source, residencies, rungs_of(500, 300, 100), Settings()).subscribe(obey)
    residencies.on_next(Residency(0.0, "ready", rung))
    needs = {"large": 500, "medium": 300, "small": 100}
    draw, process, rss = random.Random(1), psutil.Process(), list[float]()
    began = time.perf_counter()
    for i in range(1, samples + 1):
        external = (430 if i // 900 % 2 else 100) + draw.randrange(20)
        own = needs[rung]
        source.on_next(Sample(float(i), {"ram": Pool(1000, external + own, own)}))
        if i % (samples // 20) == 0:
            rss.append(process.memory_info().rss / 2**20)
    warm = rss[1:]
    print(
        f"{samples:,} samples in {time.perf_counter() - began:.0f} s, {shifts:,} decisions; resident memory after the "
        f"first tenth {warm[0]:.2f} MiB, then {min(warm):.2f} to {max(warm):.2f} MiB"
    )


def main(samples: int = SAMPLES) -> None:
    speed()
    memory(samples)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
