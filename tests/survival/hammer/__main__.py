"""Run the hammer: python -m tests.survival.hammer --steps 10000 --seed 1 --threads 16"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from gearshift.models import Ladder, ModelSpec

from tests.models.checkpoints import make_checkpoint
from tests.survival.tally import Tally

from .blocking import block
from .managers import Count
from .run import hammer

_SIZES = {"large": 512, "medium": 256, "small": 64}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.survival.hammer", description=__doc__)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--limit", type=float, default=1800.0, help="seconds, after which it counts as hung")
    parser.add_argument("--no-real", action="store_true", help="models without weights only")
    parser.add_argument("--block", type=float, default=60.0, help="seconds for which subscribers block")
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        real = None if given.no_real else _ladder(folder)
        counted = hammer(
            folder, count=given.steps, threads=given.threads, seed=given.seed, real=real, limit=given.limit
        )
        hammered = told("threads and tasks at once", counted, faults(counted), time.monotonic() - began)
        began, counted = time.monotonic(), Count()
        blocked = block(folder, counted, seconds=given.block)
    return hammered | told(f"subscribers that block for {given.block:g} s", counted, blocked, time.monotonic() - began)


def told(what: str, counted: Count, put: int, seconds: float) -> int:
    for name, times in sorted(counted.of.items()):
        print(f"{name:36}{times:8,}")
    for breach in counted.broken[:20]:
        print(f"broken: {breach}")
    tally = Tally(
        what, runs=counted.of["steps"] or counted.of["asks"], faults=put, lost=lost(counted), kills=0,
        broken=len(counted.broken), seconds=seconds,
    )  # fmt: skip
    print(f"{what}: faults {put}, lost {tally.lost}, broken {tally.broken}, {seconds:.0f} s")
    tally.keep()
    return 0 if tally.held else 1


def faults(counted: Count) -> int:
    put = ("subscribers that raised", "models lost", "ends in the midst of it", "replies called off")
    return sum(counted.of[name] for name in put)


def lost(counted: Count) -> int:
    return counted.of["asks"] - sum(times for name, times in counted.of.items() if name.startswith("ended: "))


def _ladder(folder: Path) -> Ladder:
    made = {name: make_checkpoint(folder / name, hidden, tied=name == "small") for name, hidden in _SIZES.items()}
    return Ladder([ModelSpec(name=name, source=str(path), context=512) for name, path in made.items()])


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # pyright: ignore[reportAttributeAccessIssue]
    code = main()
    sys.stdout.flush()
    os._exit(code) if code else sys.exit(0)
