"""A day of real samples at 1 Hz: what its recording weighs, and how fast it is written and replayed."""

import random
import tempfile
import time
from pathlib import Path

import msgspec
from gearshift.pipeline import Pool, Pressure, Recorder, Sample, Sampler, default_probes, replay
from reactivex import operators as ops

DAY = 86_400
REAL = 200


def day() -> list[Sample]:
    """Real samples of this machine, whose numbers then wander as those of a machine in use do: none comes twice."""
    sampler, draw = Sampler(default_probes()), random.Random(1)
    sampler.take()
    real = [sampler.take() for _ in range(REAL)]
    begin, wall, used, load = real[0].time, real[0].wall, 8 << 30, 1.0
    samples: list[Sample] = []
    for i in range(DAY):
        late = draw.random() / 1000
        used = min(20 << 30, max(2 << 30, used + 4096 * round(draw.gauss(0, 500))))
        load = max(0.0, load + draw.gauss(0, 0.02))
        sample = msgspec.structs.replace(
            real[i % REAL], time=round(begin + i + late, 6), wall=round(wall + i + late, 3), interval=1.0,
            load=round(load, 3), cpu=round(draw.random(), 4),
            pools={"ram": Pool(24 << 30, used)},
            pressure={name: Pressure(round(draw.random() / 100, 6), 0.0) for name in ("memory", "cpu", "io")},
        )  # fmt: skip
        samples.append(sample)
    return samples


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
