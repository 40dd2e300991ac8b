"""What a reading of NvmlProbe costs beside the same calls made directly, over a scripted NVML.

The scripted calls take about 2 µs each and real ones many times that, so the ratio is lower on a real GPU. Run:
python -m tests.benchmarks.nvml
"""

import os
import statistics
import time
from collections.abc import Callable

import pynvml
from gearshift.pipeline.probes.nvml import NvmlProbe
from gearshift.pipeline.testing import ScriptedGpu, ScriptedNvml


def seconds(function: Callable[[], object], calls: int = 200) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        function()
    return (time.perf_counter() - start) / calls


def main() -> None:
    for count in (1, 4):
        gpus = [ScriptedGpu(f"GPU-{i}", used=8 << 30, compute={os.getpid(): 3 << 30, 1: 5 << 30}) for i in range(count)]
        nvml = ScriptedNvml(*gpus)
        probe = NvmlProbe(nvml)
        handles = [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(count)]

        def raw(nvml: ScriptedNvml = nvml, handles: list = handles) -> None:
            for handle in handles:
                nvml.nvmlDeviceGetMemoryInfo(handle, pynvml.nvmlMemory_v2)
                nvml.nvmlDeviceGetUtilizationRates(handle)
                nvml.nvmlDeviceGetTemperatureV(handle, pynvml.NVML_TEMPERATURE_GPU)
                nvml.nvmlDeviceGetPowerUsage(handle)
                nvml.nvmlDeviceGetCurrentClocksEventReasons(handle)
                nvml.nvmlDeviceGetTotalEccErrors(
                    handle, pynvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, pynvml.NVML_VOLATILE_ECC
                )
                nvml.nvmlDeviceGetComputeRunningProcesses_v3(handle)
                nvml.nvmlDeviceGetGraphicsRunningProcesses_v3(handle)

        pairs = [(seconds(raw), seconds(probe.read)) for _ in range(25)]
        direct, ours = (statistics.median(column) * 1e6 for column in zip(*pairs, strict=True))
        ratio = statistics.median(b / a for a, b in pairs)
        print(f"{count} GPU: raw calls {direct:.1f} µs, NvmlProbe.read {ours:.1f} µs, ratio {ratio:.2f}")
        probe.close()


if __name__ == "__main__":
    main()
