"""A day of samples through the whole decision stream, as a ratio to eight `ops.map` stages in the same run."""

import random
import time
from collections.abc import Callable
from typing import Any

import reactivex
from gearshift.pipeline import Residency, Settings, decision_stream
from gearshift.pipeline.testing import rungs_of, samples_of
from reactivex import Subject
from reactivex import operators as ops

DAY = 86_400


def seconds(wire: Callable[[Subject[Any]], Any], items: list[Any]) -> float:
    source: Subject[Any] = Subject()
    wire(source)
    began = time.perf_counter()
    for item in items:
        source.on_next(item)
    return time.perf_counter() - began


def main() -> None:
    noise = random.Random(1)
    items = samples_of([noise.randint(80, 120) for _ in range(DAY)], own=500)
    ready = reactivex.just(Residency(0.0, "ready", "large"))
    maps = seconds(
        lambda s: s.pipe(*[ops.map(lambda item: item)] * 7).pipe(ops.map(lambda item: item)).subscribe(), items
    )
    whole = seconds(lambda s: decision_stream(s, ready, rungs_of(500, 300, 100), Settings()).subscribe(), items)
    print(f"a day at 1 Hz: eight ops.map {maps:.2f} s; decision_stream {whole:.2f} s, ratio {whole / maps:.1f}")


if __name__ == "__main__":
    main()
