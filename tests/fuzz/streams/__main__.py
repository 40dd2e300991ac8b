"""Random streams by the million, on all cores.

python -m tests.fuzz.streams [--streams 1000000] [--seed 1] [--jobs 2] [--only NUMBER]; exit code 1 when one broke.
"""

import argparse
import os
import sys
import time
from collections import Counter

from ...survival.tally import Tally
from .flooding import flood
from .playing import play


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.streams")
    parser.add_argument("--streams", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", type=int, help="play this one alone")
    asked, _ = parser.parse_known_args()  # what the fuzzer of the readers takes comes by the same way
    if asked.only is not None:
        print(play(asked.seed, asked.only))
        return 0
    began = time.monotonic()
    played, broken = flood(asked.seed, asked.streams, asked.jobs)
    for what, count in Counter(found.what for found in broken).most_common():
        first = min((found for found in broken if found.what == what), key=lambda found: found.after)
        print(f"{count} times: {what}; --only {first.number} breaks after {first.after}")
    seconds = time.monotonic() - began
    print(f"{asked.streams:,} streams: {played.samples:,} samples, {played.faults:,} faults, {played.decisions:,} "
          f"decisions, {len(broken)} broken, {seconds:,.0f} s")  # fmt: skip
    Tally("floods of random streams", asked.streams, played.faults, 0, 0, len(broken), seconds).keep()
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
