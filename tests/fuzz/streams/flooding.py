"""Worlds by the thousand, played on all cores."""

import multiprocessing
import time

from .playing import Break, Played, play

_BATCH = 2000


def batch(asked: tuple[int, int, int]) -> tuple[Played, list[Break]]:
    """Worlds `first` to `end` of `seed`: their sums, and what broke."""
    seed, first, end = asked
    sums, broken = [0, 0, 0], []
    for number in range(first, end):
        told = play(seed, number)
        if isinstance(told, Break):
            broken.append(told)
            continue
        for i, count in enumerate(told):
            sums[i] += count
    return Played(*sums), broken


def flood(seed: int, streams: int, jobs: int) -> tuple[Played, list[Break]]:
    ends = range(0, streams, _BATCH)
    work = [(seed, first, min(first + _BATCH, streams)) for first in ends]
    sums, broken, told = [0, 0, 0], [], time.monotonic()
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for done, (played, found) in enumerate(pool.imap_unordered(batch, work), 1):
            sums = [a + b for a, b in zip(sums, played, strict=True)]
            broken += found
            if time.monotonic() - told > 10:
                told = time.monotonic()
                print(f"{done / len(work):4.0%}  {sums[0]:,} samples, {sums[1]:,} decisions, {len(broken)} broken",
                      flush=True)  # fmt: skip
    return Played(*sums), broken
