"""A program that monitors live and carries decisions out, for tests that set its clock or stop it.

python -m tests.pipeline.clocked FOLDER [SAMPLES:SECONDS …]: after so many samples the clock on the wall is set on, or
back, by so many seconds. It begins three seconds before the end of summer time in Berlin. Others hold 2 GiB, then 11,
then 2 again. It ends after the third shift, leaves `run.jsonl`, `log.txt`, `metrics.txt` and `report.html`, and prints
a line for each sample.
"""

import logging
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

from gearshift.pipeline import (
    Decision,
    Pool,
    ProactiveScaler,
    Reading,
    Residency,
    Sample,
    Sampler,
    Settings,
    load,
    record,
)
from gearshift.pipeline.telemetry import PrometheusMetrics
from gearshift.pipeline.testing import GIB, residency, rungs_of
from gearshift.pipeline.views.report import write_report
from reactivex.subject import BehaviorSubject

BEGINS = datetime.fromisoformat("2026-10-25T02:59:57+02:00").timestamp()
STABLE, GAP = 1.5, 1.0
LADDER = rungs_of(large={"ram": 6 * GIB}, small={"ram": GIB})
SETTINGS = Settings(
    interval=0.05, stabilisation=STABLE, gap=GAP, horizon=0.1, confirm=0.1, patience=0.2, settle=0.0,
    max_shifts_per_hour=100,
)  # fmt: skip
SHORT = range(20, 50)
"""The samples in which others hold much."""


class Machine:
    """16 GiB, and whatever runs. The clock on its wall is set after so many samples."""

    name, pools = "ram", ("ram",)

    def __init__(self, steps: dict[int, float]) -> None:
        self.loaded: BehaviorSubject[Residency] = BehaviorSubject(residency(None, state="empty"))
        self._steps, self._reads, self._ahead, self._begun = steps, 0, 0.0, time.monotonic()
        time.time = self._wall

    def _wall(self) -> float:
        return BEGINS + time.monotonic() - self._begun + self._ahead

    def read(self) -> Reading:
        self._ahead += self._steps.get(self._reads, 0.0)
        own = sum(rung.need["ram"] for rung in LADDER if rung.name == self.loaded.value.rung)
        others = (11 if self._reads in SHORT else 2) * GIB
        self._reads += 1
        return Reading({"ram": Pool(16 * GIB, others + own, own)})

    def obey(self, decision: Decision) -> None:
        self.loaded.on_next(residency(decision.target, decision.time))


def main(folder: Path, steps: dict[int, float]) -> None:
    machine, done, made = Machine(steps), threading.Event(), list[Decision]()
    logging.basicConfig(filename=folder / "log.txt", level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    scaler = ProactiveScaler(LADDER, SETTINGS, residencies=machine.loaded, sampler=Sampler([machine]))

    def tell(sample: Sample) -> None:
        print(f"{sample.time} {sample.wall} {machine.loaded.value.rung}", flush=True)

    def decided(decision: Decision) -> None:
        made.append(decision)
        machine.obey(decision)
        if len(made) == 3:
            done.set()

    metrics = PrometheusMetrics()
    kept = record(
        scaler.samples, folder / "run.jsonl", decisions=scaler.decisions, residencies=machine.loaded, ladder=LADDER,
        settings=SETTINGS,
    )  # fmt: skip
    with metrics.follow(scaler), scaler.samples.subscribe(tell), scaler.decisions.subscribe(decided), scaler:
        assert done.wait(60)
        (folder / "metrics.txt").write_bytes(metrics.exposition()[0])
    kept.dispose()
    write_report(load(folder / "run.jsonl"), folder / "report.html")


if __name__ == "__main__":
    main(Path(sys.argv[1]), {int(at): float(by) for at, by in (step.split(":") for step in sys.argv[2:])})
