"""Each scenario again and again, and the naive script beside it.

python -m tests.survival.exhaustion [--runs 20] [--naive 20] [--only NAME …]; exit code 1 when anything did not hold.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ..tally import Tally
from .fates import FATES
from .group import why_not
from .rungs import ladders
from .running import Late
from .scenarios import SCENARIOS, Ground, Told

console = Console(width=165)


def play(name: str, ground: Ground, runs: int) -> tuple[list[Told], int]:
    """What the runs told, and how many did not go as they should."""
    told: list[Told] = []
    broken = 0
    for number in range(1, runs + 1):
        try:
            told.append(SCENARIOS[name](ground._replace(cache=ground.cache / f"{name} {number}")))
        except (AssertionError, Late) as error:
            broken += 1
            console.print(f"{name}, run {number}: {error!r}", style="red", markup=False)
        else:
            console.print(f"{name}, run {number}: {told[-1]}", markup=False)
    return told, broken


def table() -> Table:
    heads = ("scenario", "runs", "faults", "replies", "lost", "refused", "app killed", "worker killed", "killed in all",
             "s to the smaller rung", "worst", "broken", "without gearshift")  # fmt: skip
    shown = Table(*heads)
    for column in shown.columns[1:]:
        column.justify = "right"
    return shown


def row(name: str, told: list[Told], broken: int, died: str) -> list[str]:
    seconds = [t.seconds for t in told] or [float("nan")]
    sums = [sum(getattr(t, field) for t in told) for field in Told._fields[:-1]]
    return [name, str(len(told) + broken), *map(str, sums), f"{statistics.median(seconds):.1f}",
            f"{max(seconds):.1f}", str(broken), died]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.survival.exhaustion")
    parser.add_argument("--runs", type=int, default=20, help="of each scenario")
    parser.add_argument("--naive", type=int, default=20, help="of the naive script, in each where it is asked")
    parser.add_argument("--only", nargs="*", choices=list(SCENARIOS), default=list(SCENARIOS))
    asked = parser.parse_args()
    if why := why_not():
        console.print(f"not run: {why}", markup=False)
        return 0
    shown, held = table(), True
    with tempfile.TemporaryDirectory() as folder:
        ground = Ground(*ladders(Path(folder)), Path(folder) / "cache")
        for name in asked.only:
            began = time.monotonic()
            told, broken = play(name, ground, asked.runs)
            tally = Tally(
                f"exhaustion: {name}", len(told) + broken, sum(t.faults for t in told), sum(t.lost for t in told),
                sum(t.app_kills for t in told), broken, time.monotonic() - began,
            )  # fmt: skip
            tally.keep()
            died = "-"
            if name in FATES:
                fates = [FATES[name](ground) for _ in range(asked.naive)]
                died = f"died {sum(fates)} of {len(fates)}"
                held = held and all(fates)
            held = held and tally.held
            shown.add_row(*row(name, told, broken, died))
    console.print(shown)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
