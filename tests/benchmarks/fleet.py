"""Fleets that play recordings: what they cost to simulate, and what a placement loses against one that knew the future.

Machines: recordings by others of at least ten minutes (`../shared/traces`, beside the project's folder; without them
those of `tests/recordings`), and eight desktops drawn by seed (`tests.benchmarks.desktops`), two hours each. Each node
plays one of them from a moment of its own, for an hour. Ladder and load times are those of `tests.benchmarks.policies`;
a reply takes 5 s, a node reports every 5 s, requests come by chance (Poisson). `busy`: the time of replies as a share
of the nodes' time.

Growth: half of the nodes' time is asked for. wall: seconds that the simulation took, without those for the recordings,
which are simulated once for all fleets. value: quality over slowdown, the mean of all requests. view: messages a second
that come to the view of the fleet.

Regret: value, and what is missing to the oracle's, in percent, the means over seeds, for half an hour in slots of a
reply's length. The oracle may leave a request unanswered for good, or let a later one go before it, where that is worth
more; no placement can. So at high loads some of the regret is that of a line in order. Where a node has no room for a
rung for long, round robin does the like, unknowingly: what it places there never comes, and is in nobody's way.

    python -m tests.benchmarks.fleet [--traces FOLDER]
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from time import perf_counter
from typing import Any

from gearshift.pipeline import Sample, load
from gearshift.pipeline.fleet import Course, course, fleet_oracle, simulate_fleet

from tests.benchmarks.desktops import desktop
from tests.benchmarks.policies import TRACES, jobs, ladder, load_seconds, samples_of, total_of

OWN = Path(__file__).parents[1] / "recordings"
REPLY, LEAST = 5.0, 600.0  # seconds of a reply, and that a recording must last
HOUR, SHORT = 3600.0, 1800.0  # seconds of a fleet for its cost, and for its regret
SIZES = (10, 30, 100, 300, 1000)
SMALL, LOADS, SEEDS = (2, 3, 4, 6), (0.1, 0.5, 0.8), range(6)
PLACEMENTS = ("merit", "fresh", "fewest waiting", "round robin", "random")


def recorded(folder: Path) -> list[list[Sample]]:
    """Samples of the recordings there that last long enough, else of the project's own."""
    kept = [samples_of(job) for job in jobs(folder, (), fast=False) if job.file is not None]
    kept = [samples for samples in kept if samples[-1].time - samples[0].time >= LEAST]
    return kept or [load(file).samples for file in sorted(OWN.glob("*.jsonl"))]


def played(samples: Sequence[Sample]) -> Course:
    rungs = ladder(total_of(samples))
    return course(samples, rungs, load_time=load_seconds(rungs))


def fleet(nodes: int, busy: float, seconds: float, seed: int) -> dict[str, Any]:
    return {"nodes": nodes, "rate": busy * nodes / REPLY, "seconds": seconds, "reply": REPLY, "seed": seed}


def print_growth(courses: Sequence[Course]) -> None:
    heads = ("requests", "wall s", "us/request", "view 1/s", "value", "quality", "wait s", "busy", "answered")
    print(f"{'nodes':>6}" + "".join(f"{head:>11}" for head in heads))
    for nodes in SIZES:
        began = perf_counter()
        found = simulate_fleet(courses, **fleet(nodes, 0.5, HOUR, 0))
        wall = perf_counter() - began
        cells = (
            f"{found.requests:,}", f"{wall:.2f}", f"{wall / found.requests * 1e6:.1f}", f"{found.messages:.1f}",
            f"{found.mean_value:.4f}", f"{found.mean_quality:.4f}", f"{found.waited:.2f}", f"{found.busy:.2f}",
            f"{sum(found.answered.values()) / found.requests:.2%}",
        )  # fmt: skip
        print(f"{nodes:>6}" + "".join(f"{cell:>11}" for cell in cells))


def print_regret(courses: Sequence[Course]) -> None:
    print(f"{'nodes':>6}{'busy':>6}{'oracle':>10}" + "".join(f"{name:>17}" for name in PLACEMENTS))
    for busy in LOADS:
        for nodes in SMALL:
            fleets = [fleet(nodes, busy, SHORT, seed) for seed in SEEDS]
            best = fmean(fleet_oracle(courses, **each).mean_value for each in fleets)
            cells: list[str] = []
            for name in PLACEMENTS:
                value = fmean(
                    simulate_fleet(courses, placement=name, slotted=True, **each).mean_value for each in fleets
                )
                cells.append(f"{value:.4f} {1 - value / best:>6.1%}")
            print(f"{nodes:>6}{busy:>6.0%}{best:>10.4f}" + "".join(f"{cell:>17}" for cell in cells))


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--traces", type=Path, default=TRACES)
    given = asked.parse_args()
    groups = {"recordings": recorded(given.traces), "desktops": [desktop(seed, 2.0) for seed in range(8)]}
    for name, machines in groups.items():
        began = perf_counter()
        courses = [played(samples) for samples in machines]
        took = perf_counter() - began
        hours = sum(each.seconds for each in courses) / 3600
        print(f"\n{len(courses)} {name}, {hours:.1f} hours in all, simulated once each in {took:.1f} s")
        print("\ngrowth of cost with nodes, placement by merit, for an hour")
        print_growth(courses)
        print(f"\nvalue, and regret against an oracle, mean of {len(SEEDS)} seeds")
        print_regret(courses)


if __name__ == "__main__":
    main()
