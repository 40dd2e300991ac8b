"""What a pre-flight check costs: from a fresh sample, with eight threads at once, and where memory must be read."""

import threading
import time
from collections.abc import Callable

import psutil
from gearshift.pipeline import Pool, ProactiveScaler, Rung, Sample, Settings
from reactivex import Subject

CALLS, READINGS, THREADS = 20_000, 5_000, 8
GIB = 2**30
LADDER = [
    Rung(name, {"ram": size * GIB}, context=2048, per_token={"ram": 65536})
    for name, size in (("large", 16), ("medium", 8), ("small", 4), ("least", 2))
]


def costs(call: Callable[[], object], count: int) -> list[float]:
    """Microseconds of each call."""
    spent = [0.0] * count
    for i in range(count):
        began = time.perf_counter()
        call()
        spent[i] = (time.perf_counter() - began) * 1e6
    return spent


def at_once(call: Callable[[], object]) -> list[float]:
    """The same from eight threads that start together."""
    gate, found = threading.Barrier(THREADS), []

    def work() -> None:
        gate.wait()
        found.extend(costs(call, CALLS // THREADS))

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def row(name: str, spent: list[float]) -> None:
    ordered = sorted(spent)
    p50, p99 = ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
    print(f"{name:<52}{p50:>9.1f}{p99:>9.1f}{max(spent):>10.1f}")


def main() -> None:
    source: Subject[Sample] = Subject()
    scaler = ProactiveScaler(LADDER, Settings(interval=3600.0), source)
    # the machine is nearly full, so that every rung is judged before the last one is named
    with scaler:
        source.on_next(Sample(0.0, {"ram": Pool(24 * GIB, 20 * GIB)}))

        def ask() -> object:
            return scaler.check_preflight_resources("generate", "large", tokens=4096)

        costs(ask, 1000)
        print(f"{'µs':<52}{'p50':>9}{'p99':>9}{'most':>10}")
        row("a fresh sample", costs(ask, CALLS))
        row("a fresh sample, 8 threads at once", at_once(ask))
    idle = ProactiveScaler(LADDER, Settings())

    def read() -> object:
        return idle.check_preflight_resources("generate", "large", tokens=4096)

    ours, bare = [], []
    for _ in range(READINGS):  # in turn, so that a slow spell of the machine is in both
        ours += costs(read, 1)
        bare += costs(psutil.virtual_memory, 1)
    row("no sample: the ladder's pools are read", ours)
    row("psutil.virtual_memory()", bare)
    middle = [sorted(each)[len(each) // 2] for each in (ours, bare)]
    print(f"a reading costs {middle[0] / middle[1]:.2f} x psutil.virtual_memory()\n")
    idle.stop_continuous_monitoring()


if __name__ == "__main__":
    main()
