"""What a sample costs, by probe, beside the bare calls that give the same numbers, in the same run."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from gearshift.pipeline import Sampler, default_probes
from gearshift.pipeline.probes.alarm import AlarmProbe
from gearshift.pipeline.probes.cgroup import groups
from gearshift.pipeline.probes.load import CpuProbe, SwapProbe
from gearshift.pipeline.probes.nvml import NvmlProbe
from gearshift.pipeline.probes.pressure import PressureProbe
from gearshift.pipeline.probes.ram import RamProbe

ROUNDS, CALLS = 15, 200


def bare_groups() -> Callable[[], object]:
    """The files of every control group, opened and read each time as psutil does with /proc."""
    names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.max", "memory.high", "memory.current")
    files = [group.folder / name for group in groups("memory") for name in names]
    present = [path for path in files if path.exists()]
    return lambda: [path.read_bytes() for path in present]


def bare_pressure() -> Callable[[], object]:
    files = [
        path
        for path in map(Path, ("/proc/pressure/memory", "/proc/pressure/cpu", "/proc/pressure/io"))
        if path.exists()
    ]
    return lambda: [path.read_bytes() for path in files]


def bare_nvml() -> Callable[[], object]:
    """The memory of each GPU, where there is one."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return lambda: None
    handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]

    def read() -> None:
        for handle in handles:
            pynvml.nvmlDeviceGetMemoryInfo(handle)
            pynvml.nvmlDeviceGetUtilizationRates(handle)

    return read


def microseconds(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - began) / CALLS * 1e6


def main() -> None:
    read_groups, read_pressure = bare_groups(), bare_pressure()
    pairs: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "ram: virtual_memory, control groups": (RamProbe().read, lambda: (psutil.virtual_memory(), read_groups())),
        "cpu: cpu_times of each core, getloadavg": (
            CpuProbe().read, lambda: (psutil.cpu_times(percpu=True), psutil.getloadavg(), os.sched_getaffinity(0)),
        ),
        "swap: swap_memory": (SwapProbe().read, psutil.swap_memory),
        "pressure: three files": (PressureProbe().read, read_pressure),
        "alarm": (AlarmProbe().read, lambda: None),
        "nvml": (NvmlProbe().read, bare_nvml()),
    }  # fmt: skip
    whole = Sampler(default_probes()).take
    ours, bare, sample = dict.fromkeys(pairs, 1e9), dict.fromkeys(pairs, 1e9), 1e9
    for _ in range(ROUNDS):
        for name, (read, raw) in pairs.items():
            ours[name] = min(ours[name], microseconds(read))
            bare[name] = min(bare[name], microseconds(raw))
        sample = min(sample, microseconds(whole))
    print(f"{'':<42}{'µs':>9}{'bare µs':>9}{'ratio':>8}")
    for name in pairs:
        ratio = f"{ours[name] / bare[name]:.2f}" if bare[name] > 1 else "-"
        print(f"{name:<42}{ours[name]:>9.1f}{bare[name]:>9.1f}{ratio:>8}")
    total = sum(bare.values())
    print(f"{'a sample of all':<42}{sample:>9.1f}{total:>9.1f}{sample / total:>8.2f}")
    began, busy = time.perf_counter(), time.process_time()
    for _ in range(1000):
        whole()
    busy = time.process_time() - busy
    print(f"at 1 Hz: {busy / 1000:.4%} of one core ({time.perf_counter() - began:.2f} s for 1,000 samples)\n")


if __name__ == "__main__":
    main()
