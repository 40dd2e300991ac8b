"""Scripted GPUs and a clock for the tests of probes."""

from collections.abc import Collection, Iterable
from types import SimpleNamespace
from typing import Any

from gearshift.pipeline import Device, Pool, Reading
from gearshift.pipeline.probes.nvml import NvmlProbe
from gearshift.pipeline.testing import ScriptedGpu, ScriptedNvml

from tests.pipeline.probes.clock import Clock

GIB = 1 << 30
PID = 4242
WELL = Pool(24 * GIB, 9 * GIB, 3 * GIB)
FULL = Device(0.5, 61.0, 123.456, 1 * GIB, ("sw_power_cap",), 2)


def gpu(letter: str, **fields: Any) -> ScriptedGpu:
    """A GPU that reads as WELL and FULL: 8 GiB in use, 1 reserved; 3 held by process 4242, 5 by another."""
    known: dict[str, Any] = {
        "used": 8 * GIB,
        "reserved": 1 * GIB,
        "utilisation": 0.5,
        "temperature": 61,
        "power": 123.456,
        "throttle": 0x4,
        "ecc_errors": 2,
        "compute": {PID: 3 * GIB, 1: 5 * GIB},
    }
    return ScriptedGpu(f"GPU-{letter}", **{**known, **fields})


def torch_holding(*held: int, initialised: bool = True) -> Any:
    """A torch whose CUDA allocator holds so many bytes by device."""

    def memory_reserved(index: int) -> int:
        assert initialised, "asked a CUDA that nobody initialised"
        return held[index]

    return SimpleNamespace(
        cuda=SimpleNamespace(is_initialized=lambda: initialised, memory_reserved=memory_reserved),
    )


def probe_of(
    nvml: ScriptedNvml, *, pids: Collection[int] = (PID,), clock: Any = None, torch: Any = None, **options: Any
) -> NvmlProbe:
    return NvmlProbe(nvml, pids=lambda: pids, clock=clock or Clock(), torch=lambda: torch, **options)


class Machine:
    """Two GPUs, and a probe of them unless it is to be started later. Errors hit the first, `ill`."""

    def __init__(self, *, started: bool = True) -> None:
        self.ill, self.clock = gpu("a"), Clock()
        self.nvml = ScriptedNvml(self.ill, gpu("b"))
        if started:
            self.start()

    def start(self, **options: Any) -> None:
        self.probe = probe_of(self.nvml, clock=self.clock, **options)
        self.read = self.probe.read

    def fail(self, functions: Iterable[str], error: int | Exception, *, times: float = float("inf")) -> None:
        for function in functions:
            self.nvml.fail(function, error, gpu=self.ill, times=times)

    def comes_back(self, after: float) -> None:
        """At that many seconds, not before, by one start of NVML."""
        starts = self.nvml.calls["nvmlInit"]
        self.clock.now += after - 0.001
        assert self.read().pools["cuda:0"] is None
        assert self.nvml.calls["nvmlInit"] == starts
        self.clock.now += 0.001
        assert self.read() == Reading({"cuda:0": WELL, "cuda:1": WELL}, {"cuda:0": FULL, "cuda:1": FULL})
        assert (self.nvml.calls["nvmlInit"], self.nvml.users) == (starts + 1, 1)
