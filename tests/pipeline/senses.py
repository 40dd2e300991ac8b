"""A machine whose every sensor can be broken, behind the probes that read the real one."""

import logging
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from gearshift.pipeline import Decision, Pool, Residency, Sample, Sampler, Settings, decision_stream, sources
from gearshift.pipeline.probes.cgroup import MemoryGroups
from gearshift.pipeline.probes.load import CpuProbe, SwapProbe
from gearshift.pipeline.probes.nvml import NvmlProbe
from gearshift.pipeline.probes.pressure import PressureProbe
from gearshift.pipeline.probes.ram import Own, RamProbe
from gearshift.pipeline.testing import GIB, ScriptedGpu, ScriptedNvml, residency, rungs_of
from reactivex import Subject

from tests.pipeline.probes.clock import Clock
from tests.pipeline.probes.folders import mounts, write

STEP, STABLE = 2.0, 30.0
PID = 4242
LADDER = rungs_of(large={"ram": 4 * GIB, "cuda:0": 12 * GIB}, small={"ram": GIB})
SETTINGS = Settings(interval=STEP, stabilisation=STABLE, horizon=1.0, settle=0.0, max_shifts_per_hour=100)
TIGHT, ROOM = (10, 20), (3, 2)  # GiB in use: of 12 in the control group, of 24 on the GPU


class Nvml(ScriptedNvml):
    """Tells what it is told to of a GPU's memory, once it is."""

    told: SimpleNamespace | None = None

    def nvmlDeviceGetMemoryInfo(self, handle: Any, version: int | None = None) -> Any:
        seen = super().nvmlDeviceGetMemoryInfo(handle, version)
        return seen if self.told is None else self.told


class Senses:
    """64 GiB of RAM under a control group of 12 (version 2), a GPU of 24, and a small rung that runs.

    `step` takes one sample and decides on it, `STEP` seconds after the one before. `samples` and `made`: all so far.
    nvml: fails as it is told to, before anything reads it.
    """

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, *, before: Callable[["Senses"], Any] = lambda _: None
    ) -> None:
        self.proc, self.sys = folder / "proc", folder / "sys"
        self.group = self.sys / "app"
        self.clock = Clock(1000.0)
        self.gpu = ScriptedGpu("GPU-1", compute={PID: 0})
        self.nvml = Nvml(self.gpu)
        self._stalls, self.stalling = 0, 0.0
        monkeypatch.setattr(sources, "event_time", self.clock)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        self.heal(TIGHT)
        before(self)
        self.groups = MemoryGroups(self.proc, self.sys, clock=self.clock)
        self.ram = RamProbe(own=lambda: Own(GIB), groups=self.groups)
        self.pressure = PressureProbe(proc=self.proc, sys=self.sys, clock=self.clock)
        cards = NvmlProbe(self.nvml, pids=lambda: (PID,), clock=self.clock, torch=lambda: None)
        load, swap = CpuProbe(cores=lambda: 2.0, clock=self.clock), SwapProbe(clock=self.clock)
        monkeypatch.setattr(psutil, "PROCFS_PATH", str(self.proc))
        self.sampler = Sampler([self.ram, load, swap, self.pressure, cards])
        self.samples: list[Sample] = []
        self.made: list[Decision] = []
        self._source, self._residencies = Subject[Sample](), Subject[Residency]()
        decision_stream(self._source, self._residencies, LADDER, SETTINGS).subscribe(self.made.append, self._broke)
        self._residencies.on_next(residency("small", self.clock.now))

    def _broke(self, error: Exception) -> None:
        raise AssertionError(f"the stream of decisions broke: {error!r}") from error

    def use(self, ram: int, gpu: int) -> None:
        """GiB in use: in the group, on the GPU."""
        write(self.group, memory__current=f"{ram * GIB}\n")
        self.gpu.used = gpu * GIB

    def carry_out(self) -> None:
        """The large rung runs, as it was decided."""
        self.gpu.used += 12 * GIB
        self.gpu.compute = {PID: 12 * GIB}
        self._residencies.on_next(residency("large", self.clock.now))

    def heal(self, use: tuple[int, int]) -> None:
        """All sensors work again, and this much is in use."""
        self.nvml.heal()
        self.nvml.told = None
        self.gpu.compute = {PID: 0}
        mounts(self.proc, ("/", self.sys, "cgroup2", "rw"))
        write(self.proc / "self", cgroup="0::/app\n")
        write(
            self.proc, meminfo=f"MemTotal: {64 << 20} kB\nMemFree: {60 << 20} kB\nMemAvailable: {60 << 20} kB\n"
            "Buffers: 0 kB\nCached: 0 kB\nShmem: 0 kB\nActive: 0 kB\nInactive: 0 kB\nSlab: 0 kB\n"
            "SwapTotal: 0 kB\nSwapFree: 0 kB\n",
            stat="cpu  0 0 0 100 0 0 0 0 0 0\ncpu0 0 0 0 100 0 0 0 0 0 0\n", vmstat="pswpin 0\npswpout 0\n",
        )  # fmt: skip
        write(self.group, memory__max=f"{12 * GIB}\n", memory__high="max\n", memory__stat="inactive_file 0\n")
        self.stalling = 0.0
        self._tell_stalls()
        self.use(*use)

    def _tell_stalls(self) -> None:
        line = "avg10=0.00 avg60=0.00 avg300=0.00"
        text = f"some {line} total={self._stalls}\nfull {line} total={self._stalls}\n"
        write(self.group, **{f"{name}__pressure": text for name in ("memory", "cpu", "io")})

    def vanish(self, path: Path) -> None:
        """A file that the kernel takes away can't be read any more, by those who hold it open either."""
        path.unlink()
        self.ram.close()
        self.pressure.close()

    def driver_says(self, **fields: Any) -> None:
        """What NVML tells of the GPU's memory from now on."""
        self.nvml.told = SimpleNamespace(**fields)

    def stall(self, seconds: float, share: float = 0.5) -> None:
        """All work waits for memory, for so much of the time."""
        self.stalling = share
        self.steps(seconds)

    def steps(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP)):
            self.step()

    def step(self) -> None:
        self.clock.now += STEP
        if self.stalling:
            self._stalls += int(1e6 * STEP * self.stalling)
            self._tell_stalls()
        self.give(self.sampler.take())

    def give(self, sample: Sample) -> None:
        self.samples.append(sample)
        self._source.on_next(sample)

    def believes(self, pool: str, total: int | None) -> bool:
        """Does the newest sample take this many GiB for all of the pool? None: it is unknown."""
        seen: Pool | None = self.samples[-1].pools.get(pool)
        return seen is None if total is None else seen is not None and seen.total == total * GIB

    @property
    def grown(self) -> list[float]:
        return [decision.time for decision in self.made if decision.kind == "upgrade"]


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def comes_back(senses: Senses) -> None:
    """All is well and there is room: the large rung is taken after the whole window, and not much later."""
    senses.heal(ROOM)
    healed = senses.clock.now
    while not senses.grown and senses.clock.now < healed + STABLE + 64 + 2 * STEP:  # NVML is asked again once a minute
        senses.step()
    assert len(senses.grown) == 1
    known = [s.time for s in senses.samples if healed < s.time < math.inf and s.pools.get("cuda:0") and s.pools["ram"]]
    assert STABLE <= senses.grown[0] - known[0] <= STABLE + 2 * STEP
