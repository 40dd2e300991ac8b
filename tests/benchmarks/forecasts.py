"""How often others come to hold more than the bound that decisions go by, against `Settings.alpha`.

Machines: those of `tests.benchmarks.policies`, the desktops for 24 hours. At each sample the bounds for the shrink and
the grow horizon (base + slope × horizon + margin, where margins are known) are compared with external use at the first
sample at or after that horizon, unless a gap lies in between.

- stretches: how many horizons the samples last for; comparisons within one of them tell much the same.
- missed: share of the samples in which use was over the bound. at it: just at it, as where use stands still.
- ±: standard error of the share missed, by the means of blocks of ten horizons.

A bound holds when it is missed in a share of at most alpha + 0.01, and of at least alpha - 0.01, those at it counted
too. Where the standard error is above 0.01, or there are fewer than ten blocks, the machine is too short to tell.

    python -m tests.benchmarks.forecasts [--fast] [--traces FOLDER]
"""

from collections.abc import Sequence
from multiprocessing import Pool as Workers
from typing import NamedTuple

import numpy as np
from gearshift.pipeline import Sample, Settings
from gearshift.pipeline.horizons import Horizons
from gearshift.pipeline.outlook import Outlook, OutlookWindow
from gearshift.pipeline.simulation import fitted

from tests.benchmarks.policies import Job, asked_for, jobs, samples_of

HOURS = 24.0
BLOCK = 10  # horizons
TOLERANCE = 0.01


class Share(NamedTuple):
    """Of one machine at one horizon, seconds. blocks: means of `missed` over stretches of equal length."""

    horizon: float
    stretches: float
    missed: float
    at: float
    blocks: tuple[float, ...]

    @property
    def error(self) -> float:
        return float(np.std(self.blocks, ddof=1) / len(self.blocks) ** 0.5) if len(self.blocks) > 1 else float("inf")

    def verdict(self, alpha: float) -> str:
        if self.error > TOLERANCE or len(self.blocks) < BLOCK:
            return "too short to tell"
        if self.missed > alpha + TOLERANCE:
            return "too often"
        return "too seldom" if self.missed + self.at < alpha - TOLERANCE else "holds"


class Followed(NamedTuple):
    """One machine, sample by sample: seconds, bytes, and NaN for a margin that isn't known. run: counts the gaps."""

    time: np.ndarray
    external: np.ndarray
    base: np.ndarray
    slope: np.ndarray
    near: np.ndarray
    far: np.ndarray
    run: np.ndarray


def follow(samples: Sequence[Sample], settings: Settings) -> Followed:
    window, rows = OutlookWindow(settings), list[tuple[float, ...]]()
    newest, run = float("-inf"), 0
    for sample in samples:
        seen = window.update(sample)
        pool = seen.pools.get("ram") if isinstance(seen, Outlook) else None
        if pool is None:
            continue
        run += sample.time - newest > settings.gap
        newest = sample.time
        near, far = (np.nan if margin is None else margin for margin in pool.margins)
        rows.append((sample.time, pool.external, pool.base, pool.slope, near, far, run))
    return Followed(*np.array(rows, dtype=float).T)


def share(seen: Followed, margin: np.ndarray, horizon: float) -> Share:
    last = len(seen.time) - 1
    later = np.searchsorted(seen.time, seen.time + horizon - 1e-9)
    whole = (later <= last) & ~np.isnan(margin)
    later = np.minimum(later, last)
    told = np.flatnonzero(whole & (seen.run[later] == seen.run))
    if not len(told):
        return Share(horizon, 0.0, float("nan"), float("nan"), ())
    over = seen.external[later] - (seen.base + seen.slope * horizon + margin)
    missed, at = over[told] > 0.5, np.abs(over[told]) <= 0.5  # of a byte
    steps = np.diff(seen.time)[np.diff(seen.run) == 0]
    spacing = float(np.median(steps))
    size = max(1, round(BLOCK * horizon / spacing))
    blocks = [float(missed[i : i + size].mean()) for i in range(0, len(missed) - size + 1, size)]
    stretches = len(told) * spacing / horizon
    return Share(horizon, stretches, float(missed.mean()), float(at.mean()), tuple(blocks))


def shares(job: Job) -> tuple[float, Share, Share]:
    """What was asked for, and what came of it at either horizon."""
    samples = samples_of(job)
    settings = fitted(Settings(**dict(job.changed)), samples)
    ahead, seen = Horizons(settings), follow(samples, settings)
    return settings.alpha, share(seen, seen.near, ahead.shrink), share(seen, seen.far, ahead.grow)


def together(rows: Sequence[Share]) -> Share:
    """One share for several machines, each sample counting alike."""
    told = [row for row in rows if row.stretches]
    weights = [row.stretches for row in told]
    missed, at = (
        float(np.average(column, weights=weights)) for column in zip(*[(r.missed, r.at) for r in told], strict=True)
    )
    return Share(0.0, sum(weights), missed, at, tuple(block for row in told for block in row.blocks))


def line(name: str, alpha: float, found: Sequence[Share]) -> str:
    cells = [f"{name:<28}"]
    for one in found:
        head = f"{one.horizon:>6.0f} s" if one.horizon else f"{'':>8}"
        rest = f"{one.missed:>9.3f}{one.at:>8.3f}{one.error:>8.3f}" if one.stretches else f"{'':>25}"
        cells.append(f"{head}{one.stretches:>8.0f}{rest}  {one.verdict(alpha):<18}")
    return "".join(cells).rstrip()


def main() -> None:
    given = asked_for()
    machines = jobs(given.traces, (), fast=given.fast)
    if not given.fast:
        machines = [job if job.file is not None else job._replace(hours=HOURS) for job in machines]
    with Workers(2) as workers:
        rows = workers.map(shares, machines, chunksize=1)
    alpha = rows[0][0]
    print(f"\nshare of the bounds that were exceeded, where {alpha:.2f} were asked for")
    head = f"{'ahead':>8}{'stretches':>10}{'missed':>7}{'at it':>8}{'±':>8}  {'':<18}"
    print(f"{'':<28}{head}{head}".rstrip())
    for job, (_, *found) in zip(machines, rows, strict=True):
        print(line(job.name, alpha, found))
    for group, wanted in (("recordings", True), ("desktops", False)):
        chosen = [row for job, row in zip(machines, rows, strict=True) if (job.file is not None) is wanted]
        if chosen:
            print(line(f"all {group}", alpha, [together([row[i] for row in chosen]) for i in (1, 2)]))
    verdicts = [one.verdict(alpha) for _, *found in rows for one in found]
    told = [verdict for verdict in verdicts if verdict != "too short to tell"]
    print(f"holds in {told.count('holds')} of {len(told)} that are long enough to tell")


if __name__ == "__main__":
    main()
