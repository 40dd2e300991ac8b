"""A day of real samples at 1 Hz: what its recording weighs, and how fast it is written and replayed."""

import tempfile
import time
from pathlib import Path

import msgspec
from gearshift.pipeline import Recorder, Sample, Sampler, default_probes, replay
from reactivex import operators as ops

DAY = 86_400
REAL = 200


def day() -> list[Sample]:
    """Real samples of this machine, taken at once and repeated with times a second apart."""
    sampler = Sampler(default_probes())
    sampler.take()
    real = [sampler.take() for _ in range(REAL)]
    begin, wall = real[0].time, real[0].wall
    return [
        msgspec.structs.replace(real[i % REAL], time=begin + i + 0.0003, wall=wall + i + 0.0003, interval=1.0)
        for i in range(DAY)
    ]


def main() -> None:
    samples = day()
    heads = ("MB", 8), ("bytes/sample", 14), ("write s", 9), ("µs/sample", 11), ("replay s", 10), ("samples/s", 12)
    print(f"{'a day at 1 Hz':<16}" + "".join(f"{head:>{width}}" for head, width in heads))
    with tempfile.TemporaryDirectory() as folder:
        for name in ("run.jsonl", "run.jsonl.zst"):
            path = Path(folder) / name
            recorder = Recorder(path)
            began = time.perf_counter()
            for sample in samples:
                recorder.write(sample)
            recorder.close()
            wrote = time.perf_counter() - began
            took = float("inf")
            for _ in range(3):
                began = time.perf_counter()
                count = replay(path).pipe(ops.count()).run()
                took = min(took, time.perf_counter() - began)
                assert count == DAY
            size = path.stat().st_size
            print(
                f"{name:<16}{size / 1e6:>8.1f}{size / DAY:>14.1f}{wrote:>9.2f}{wrote / DAY * 1e6:>11.1f}"
                f"{took:>10.2f}{DAY / took:>12,.0f}"
            )
    print()


if __name__ == "__main__":
    main()
