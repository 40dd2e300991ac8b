"""Quality that policies reach beside other programs, as a share of what one could reach who knew the future.

Machines: recordings by others (`../shared/traces`, beside the project's folder; left out with one line where they are
not) and eight desktops drawn by seed (`tests.benchmarks.desktops`), four hours each.

Assumed: a ladder that takes 45, 20 and 9 % of a pool's total, with qualities 1.0, 0.8 and 0.6. A tenth of each need is
for 4,096 tokens of context. The largest rung loads in 8.5 s, the others in proportion to their need, plus 0.5 s (7 GiB
on a desktop, at about 1 GB/s). A chat asks every minute: 300 tokens, 100 are written in 5 s. Settings are the default
ones, `fitted` to a recording that was sampled slowly.

Effective quality is that of the answering rung over time, 0 while use is above the ceiling or nothing answers. A share
can be above 100 %: the oracle never stays above the ceiling, and pays two shifts for a spike that others sit out. Where
it reaches less than 0.01 there is no room for a model, and no share. Shares don't tell what a policy does to the other
programs; the second table of each ceiling does.

    python -m tests.benchmarks.policies [--fast] [--traces FOLDER]
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing import Pool as Workers
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from gearshift.pipeline import RecordingError, Rung, Sample, Settings, load
from gearshift.pipeline.simulation import Simulation, every, fitted, oracle, simulate
from gearshift.pipeline.simulation.policies import Gearshift
from gearshift.pipeline.simulation.rivals import RIVALS

from tests.benchmarks.desktops import desktop

TRACES = Path(__file__).parents[3] / "shared" / "traces"
SHARES = {"large": (0.45, 1.0), "medium": (0.20, 0.8), "small": (0.09, 0.6)}
CONTEXT = 4096
UNKNOWN_TOTAL = 7800 << 20  # of the recordings of one author, who doesn't tell
CEILINGS = [(), (("high", 0.90), ("critical", 0.95))]
NO_ROOM = 0.01
SHORT = {
    "gearshift": "ours", "adaptive": "adapt", "always largest": "largest", "always smallest": "smallest",
    "plain threshold": "80/90", "kubernetes hpa": "hpa", "ray serve": "ray", "ollama": "ollama",
    "lemonade": "lemonade", "localai": "lai .95", "localai 0.80": "lai .80",
}  # fmt: skip


class Job(NamedTuple):
    """One machine: a file, or a desktop's seed; `changed`: the settings that differ from the default ones."""

    name: str
    file: Path | None
    seed: int
    hours: float
    changed: tuple[tuple[str, float], ...]


class Run(NamedTuple):
    """What came of one policy on one machine."""

    effective: float
    shifts: int
    above: float
    short: float
    kills: int
    seconds: float


def ladder(total: int) -> list[Rung]:
    """The rungs of a pool with `total` bytes."""
    rungs: list[Rung] = []
    for name, (share, quality) in SHARES.items():
        need = int(share * total)
        rungs.append(Rung(name, {"ram": need}, quality, CONTEXT, {"ram": need // 10 // CONTEXT}))
    return rungs


def variants(changed: Mapping[str, Any]) -> dict[str, Settings]:
    """Gearshift's own settings to compare."""
    found = {"gearshift": Settings(**changed)}
    with suppress(TypeError, ValueError):  # a version without this setting
        found["adaptive"] = Settings(**{**changed, "stabilisation": "adaptive"})
    return found


def samples_of(job: Job) -> list[Sample]:
    if job.file is None:
        return desktop(job.seed, job.hours)
    try:
        return load(job.file).samples
    except RecordingError:
        return load(job.file, totals={"ram": UNKNOWN_TOTAL}).samples


def runs(job: Job) -> dict[str, Run]:
    """All policies on one machine, and the oracle."""
    samples = samples_of(job)
    rungs = ladder(next(pool.total for sample in samples if (pool := sample.pools["ram"]) is not None))
    since, until = samples[0].time, max(sample.time for sample in samples)

    def seconds(rung: Rung) -> float:
        return 8 * rung.need["ram"] / rungs[0].need["ram"] + 0.5

    def run(policy: Any, settings: Settings) -> Run:
        asked = every(60, prompt=300, generated=100, since=since, until=until)
        return told(simulate(samples, rungs, settings, load_time=seconds, requests=asked, policy=policy))

    ours = {name: fitted(settings, samples) for name, settings in variants(dict(job.changed)).items()}
    found = {name: run(Gearshift(rungs, settings), settings) for name, settings in ours.items()}
    plain = ours["gearshift"]
    found |= {name: run(make(rungs, plain), plain) for name, make in RIVALS.items()}
    return {**found, "oracle": told(oracle(samples, rungs, plain, load_time=seconds))}


def told(found: Simulation) -> Run:
    above, short = found.above_seconds, found.overcommit_seconds
    return Run(found.effective_quality, len(found.shifts), above, short, found.kills, found.seconds)


def jobs(folder: Path, changed: tuple[tuple[str, float], ...], *, fast: bool) -> list[Job]:
    """Files first, then desktops."""
    files = [file for file in sorted(folder.glob("*.csv")) if "used_mib" in file.read_text()[:200].split("\n")[0]]
    seeds, hours = (2, 1.0) if fast else (8, 4.0)
    recorded = [Job(short_name(file), file, 0, 0.0, changed) for file in (files[:4] if fast else files)]
    return [*recorded, *(Job(f"desktop {seed}", None, seed, hours, changed) for seed in range(seeds))]


def short_name(file: Path) -> str:
    return file.stem.replace("pod_nezha_c_20", "").replace("-service", "")[:28]


def shares(row: dict[str, Run]) -> dict[str, float | None]:
    best = row["oracle"].effective
    return {name: run.effective / best if best >= NO_ROOM else None for name, run in row.items() if name != "oracle"}


def mean_share(rows: Sequence[dict[str, Run]], policy: str) -> float | None:
    found = [share for row in rows if (share := shares(row).get(policy)) is not None]
    return fmean(found) if found else None


def percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def print_table(table: dict[Job, dict[str, Run]]) -> None:
    policies = [name for name in next(iter(table.values())) if name != "oracle"]
    heads = ["oracle", *(SHORT[name] for name in policies), "shifts", "its", "above s", "over s", "kills"]
    print(f"{'':<28}" + "".join(f"{head:>9}" for head in heads))
    for job, row in table.items():
        found, ours, best = shares(row), row["gearshift"], row["oracle"]
        cells = [f"{best.effective:.3f}", *(percent(found[policy]) for policy in policies)]
        cells += [str(ours.shifts), str(best.shifts), f"{ours.above:.1f}", f"{ours.short:.1f}", str(ours.kills)]
        print(f"{job.name:<28}" + "".join(f"{cell:>9}" for cell in cells))
    for group, rows in groups(table).items():
        means = [percent(mean_share(rows, policy)) for policy in policies]
        print(f"{'mean of ' + group:<28}{'':>9}" + "".join(f"{mean:>9}" for mean in means))


def groups(table: dict[Job, dict[str, Run]]) -> dict[str, list[dict[str, Run]]]:
    recorded = [row for job, row in table.items() if job.file is not None]
    drawn = [row for job, row in table.items() if job.file is None]
    return {
        name: rows for name, rows in (("recordings", recorded), ("desktops", drawn), ("all", recorded + drawn)) if rows
    }


def print_harm(table: dict[Job, dict[str, Run]]) -> None:
    """What each policy reached, and did to its machines."""
    columns: list[tuple[str, Callable[[Sequence[Run]], str]]] = [
        ("quality", lambda runs: f"{fmean(run.effective for run in runs):.3f}"),
        ("above", lambda runs: f"{fmean(run.above / run.seconds for run in runs):.2%}"),
        ("over s", lambda runs: f"{sum(run.short for run in runs):.1f}"),
        ("kills", lambda runs: str(sum(run.kills for run in runs))),
        ("shifts", lambda runs: str(sum(run.shifts for run in runs))),
    ]
    found = {name: rows for name, rows in groups(table).items() if name != "all"}
    print(f"\n{'':<18}" + "".join(f"{name:>{9 * len(columns) + 3}}" for name in found))
    print(f"{'':<18}" + ("   " + "".join(f"{head:>9}" for head, _ in columns)) * len(found))
    for policy in next(iter(table.values())):
        cells = [[tell([row[policy] for row in rows]) for _, tell in columns] for rows in found.values()]
        print(f"{policy:<18}" + "".join("   " + "".join(f"{cell:>9}" for cell in group) for group in cells))


def asked_for() -> argparse.Namespace:
    """What the command line says: `fast`, and the folder of `traces`."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--fast", action="store_true", help="four recordings and two desktops of an hour")
    asked.add_argument("--traces", type=Path, default=TRACES)
    given = asked.parse_args()
    if not given.traces.is_dir():
        print(f"no recordings in {given.traces}: desktops only")
    return given


def main() -> None:
    given = asked_for()
    with Workers(2) as workers:
        for changed in CEILINGS:
            machines = jobs(given.traces, changed, fast=given.fast)
            rows = workers.map(runs, machines, chunksize=1)
            settings = Settings(**dict(changed))
            print(f"\neffective quality as a share of the oracle's, ceiling {settings.high:.0%}")
            table = dict(zip(machines, rows, strict=True))
            print_table(table)
            print_harm(table)


if __name__ == "__main__":
    main()
