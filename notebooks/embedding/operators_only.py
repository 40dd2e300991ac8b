"""Only the operators, for RxPY streams of any kind: is something filling up, and has that lasted?

Run `python notebooks/embedding/operators_only.py` to watch this machine's memory for 20 s (Linux), or name a file with
"time value" on each line for a series that was kept. The pipeline is the same, and so is its answer each time: no
operator reads a clock. To change: the source, and the numbers in `verdicts`.
"""

import sys
import time
from contextlib import suppress
from pathlib import Path

import reactivex
from gearshift import operators as gs
from reactivex import Observable
from reactivex import operators as ops


def live(seconds: int = 20) -> Observable[gs.Stamped[float]]:
    """The share of memory in use, twice a second."""

    def read(_: int) -> gs.Stamped[float]:
        lines = Path("/proc/meminfo").read_text().splitlines()
        kib = {line.split(":")[0]: int(line.split()[1]) for line in lines}
        return gs.Stamped(time.monotonic(), 1 - kib["MemAvailable"] / kib["MemTotal"])

    return reactivex.interval(0.5).pipe(ops.take(2 * seconds), ops.map(read))


def kept(path: str) -> Observable[gs.Stamped[float]]:
    rows = (line.split() for line in Path(path).read_text().splitlines() if line.strip())
    return reactivex.from_iterable([gs.Stamped(float(when), float(value)) for when, value in rows])


def verdicts(lines: Observable[gs.Trend]) -> Observable[gs.Stamped[bool]]:
    """Will it be over 80 % in 10 s? Each change that has lasted 2 s; back below 70 % it counts as over."""
    return lines.pipe(
        gs.hysteresis(low=0.7, high=0.8, value=lambda line: line.forecast(10)),
        gs.debounce(seconds=2),
        ops.distinct_until_changed(lambda verdict: verdict.value),
    )


def main(path: str | None = None) -> None:
    lines = (kept(path) if path else live()).pipe(
        gs.trend(window=10),
        ops.do_action(lambda line: print(f"{line.time:9.1f} s  {line.value:6.1%}  {line.slope * 60:+7.2%} a minute")),
    )
    told = ops.do_action(lambda verdict: print(f"{verdict.time:9.1f} s  {'filling up' if verdict.value else 'fine'}"))
    verdicts(lines).pipe(told, ops.default_if_empty()).run()  # until its end; what fails on the way is raised here


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(*sys.argv[1:])
