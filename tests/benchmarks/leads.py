"""Shortages that could be seen coming, and whether gearshift decided in time for them.

Machines: those of `tests.benchmarks.policies`, 40 desktops more, and 40 hours of rises (`tests.benchmarks.ramps`), with
the default settings in the closed loop, at both ceilings.

A case is a sample at which external use, with the need of the rung that is loaded, passes the ceiling, where there is a
smaller rung; once a rung has been left, the first such sample within five minutes. S is how long the shift took from
its decision on (where there was none in a minute, the load of the next rung), and one sample interval. The case was
visible when, in hindsight, the least-squares line over the V = max(10 s, 10 samples) that ended S before it rose,
explained 0.8 of the variance, and reached the ceiling within 1.25 S of its end. Left out: where the rung wasn't loaded
yet S before, a gap lies in that time, or the ceiling was passed in it already.

In time: the decision, planned or immediate, came at least S before. lead: from the decision until the case, the median.

    python -m tests.benchmarks.leads [--fast] [--traces FOLDER]
"""

import math
from collections.abc import Iterator, Sequence
from multiprocessing import Pool as Workers
from statistics import median
from typing import NamedTuple

import numpy as np
from gearshift.pipeline import Decision, Settings
from gearshift.pipeline.simulation import Simulation, every, fitted, simulate

from tests.benchmarks.policies import CEILINGS, Job, asked_for, jobs, ladder, load_seconds, samples_of, total_of
from tests.benchmarks.ramps import ramps

MORE = range(8, 48)  # seeds of further desktops
RISES = range(40)
LOOKOUT, LATE = 300.0, 60.0  # seconds before a crossing, and after it, in which a decision is put down to it
LEAST, MARGIN = 0.8, 1.25
UNLOAD = 0.04


class Case(NamedTuple):
    """A visible crossing: seconds, None where nothing was decided. slope: fraction of the total a second."""

    machine: str
    time: float
    rung: str
    took: float
    lead: float | None
    slope: float
    explained: float

    @property
    def in_time(self) -> bool:
        return self.lead is not None and self.lead >= self.took


class Stay(NamedTuple):
    """One rung, loaded from sample `first` to sample `last`; `until`: where looking out for its ceiling ends."""

    rung: str
    first: int
    last: int
    until: int
    decisions: list[Decision]


class Course:
    """A simulation, as arrays over its samples."""

    def __init__(self, found: Simulation, gap: float) -> None:
        moments = [moment for moment in found.timeline if "ram" in moment.external]
        self.time = np.array([moment.time for moment in moments])
        self.external = np.array([moment.external["ram"] for moment in moments], dtype=float)
        self.rung = [moment.rung for moment in moments]
        self.gap, self.spacing = gap, float(np.median(np.diff(self.time)))
        self.left = [d for d in found.decisions if d.kind in ("downgrade", "shed") and d.source is not None]
        self.took = {shift.decision: shift.ended - shift.decision.time for shift in found.shifts}

    def stays(self) -> Iterator[Stay]:
        count, first = len(self.time), 0
        while first < count:
            rung, last = self.rung[first], first
            while last + 1 < count and self.rung[last + 1] == rung:
                last += 1
            if rung is not None:
                ends = self.time[min(last + 1, count - 1)]
                made = [d for d in self.left if d.source == rung and self.time[first] <= d.time <= ends]
                until = last
                while made and until + 1 < count and self.rung[until + 1] != rung:
                    if self.time[until + 1] - made[-1].time > LOOKOUT:
                        break
                    until += 1
                yield Stay(rung, first, last, until, made)
            first = last + 1

    def crossings(self, stay: Stay, limit: float) -> Iterator[int]:
        over = self.external > limit
        for i in range(stay.first + 1, stay.until + 1):
            if over[i] and not over[i - 1]:
                yield i
                if i > stay.last:
                    return

    def decided(self, stay: Stay, time: float) -> Decision | None:
        """The first decision before it, else the first one after it."""
        near = [d for d in stay.decisions if -LATE <= time - d.time <= LOOKOUT]
        return near[0] if near else None

    def seen(self, stay: Stay, at: int, limit: float, took: float) -> tuple[float, float] | None:
        """Slope and share of the variance of a rise that was visible, None for any other."""
        ends = self.time[at] - took
        begins = ends - max(10.0, 10 * self.spacing)
        since, to = np.searchsorted(self.time, [begins - 1e-9, ends + 1e-9])
        times, held = self.time[since : at + 1], self.external[since:at]
        if self.time[stay.first] > ends or np.diff(times).max() > self.gap or held.max() > limit or to - since < 8:
            return None
        times, held = self.time[since:to], self.external[since:to]
        slope, level = np.polyfit(times - times[-1], held, 1)
        spread = held.var()
        explained = slope**2 * times.var() / spread if spread > 0 else 0.0
        visible = slope > 0 and explained >= LEAST and (limit - level) / slope <= MARGIN * took
        return (float(slope), float(explained)) if visible else None


def cases(job: Job) -> tuple[int, list[Case]]:
    """How many crossings there were, and those that were visible."""
    samples = ramps(job.seed, job.hours) if job.name.startswith("ramps") else samples_of(job)
    settings = fitted(Settings(**dict(job.changed)), samples)
    total = total_of(samples)
    rungs = ladder(total)
    seconds = load_seconds(rungs)
    since, until = samples[0].time, max(sample.time for sample in samples)
    asked = every(60, prompt=300, generated=100, since=since, until=until)
    course = Course(simulate(samples, rungs, settings, load_time=seconds, requests=asked), settings.gap)
    smaller = {rung.name: below for rung, below in zip(rungs, rungs[1:], strict=False)}
    limits = {rung.name: settings.high * total - rung.need["ram"] for rung in rungs}
    count, found = 0, list[Case]()
    for stay in course.stays():
        if stay.rung not in smaller:
            continue
        for at in course.crossings(stay, limits[stay.rung]):
            count += 1
            time = float(course.time[at])
            decision = course.decided(stay, time)
            shift = course.took.get(decision) if decision is not None else None
            took = (seconds(smaller[stay.rung]) + UNLOAD if shift is None else shift) + course.spacing
            line = course.seen(stay, at, limits[stay.rung], took)
            if line is not None:
                lead = time - decision.time if decision is not None else None
                found.append(Case(job.name, time, stay.rung, took, lead, line[0] / total, line[1]))
    return count, found


def machines(given_jobs: Sequence[Job], changed: tuple[tuple[str, float], ...], *, fast: bool) -> list[Job]:
    more, rises = (MORE[:4], RISES[:4]) if fast else (MORE, RISES)
    return [
        *given_jobs,
        *(Job(f"desktop {seed}", None, seed, 4.0, changed) for seed in more),
        *(Job(f"ramps {seed}", None, seed, 1.0, changed) for seed in rises),
    ]


def row(name: str, crossings: int, found: Sequence[Case]) -> str:
    timely = sum(case.in_time for case in found)
    share = f"{timely / len(found):.1%}" if found else "-"
    leads = [case.lead if case.lead is not None else -math.inf for case in found]
    middle = f"{median(leads):.1f} s" if found else "-"
    return f"{name:<14}{crossings:>11}{len(found):>9}{timely:>9}{share:>9}{middle:>10}"


def main() -> None:
    given = asked_for()
    with Workers(2) as workers:
        for changed in CEILINGS:
            chosen = machines(jobs(given.traces, changed, fast=given.fast), changed, fast=given.fast)
            found = workers.map(cases, chosen, chunksize=1)
            print(f"\nshortages of memory that could be seen coming, ceiling {Settings(**dict(changed)).high:.0%}")
            print(f"{'':<14}{'crossings':>11}{'visible':>9}{'in time':>9}{'share':>9}{'lead':>10}")
            groups: dict[str, list[tuple[int, list[Case]]]] = {}
            for job, each in zip(chosen, found, strict=True):
                kind = "recordings" if job.file is not None else job.name.split()[0]
                groups.setdefault(kind, []).append(each)
            for name, rows in [*groups.items(), ("all", found)]:
                print(row(name, sum(count for count, _ in rows), [case for _, each in rows for case in each]))
            for case in (case for _, each in found for case in each if not case.in_time):
                lead = "nothing decided" if case.lead is None else f"lead {case.lead:.1f} s"
                print(
                    f"  late: {case.machine}, {case.rung} at {case.time:.0f} s, {lead} where {case.took:.1f} s were "
                    f"needed; {case.slope:.2%} of the total a second, {case.explained:.2f} explained"
                )


if __name__ == "__main__":
    main()
