"""A scripted NVML: GPUs that don't exist, for tests of whatever asks pynvml."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from inspect import isroutine
from typing import Any, TypeVar

import pynvml

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(eq=False)
class ScriptedGpu:
    """A GPU, or a MIG instance of one. Change its fields at any time; the next call sees them.

    uuid, name: as the driver tells them. total, used, reserved: bytes; `used` without what the driver reserves.
    utilisation: busy fraction. temperature: °C. power: watts. throttle: mask of clock event reasons, from 0 (none)
    on. ecc_errors: how many uncorrected. None: this GPU doesn't support it. compute, graphics: bytes by
    process id, None where the driver can't say. mig: its instances, None where the mode is off; an entry None is a free
    place. instance: index of the GPU instance and of the compute instance. unsupported: names of functions that it
    doesn't support. memory_v2: the driver knows the second memory struct.
    """

    uuid: str
    name: str = "Scripted GPU"
    total: int | None = 24 << 30
    used: int = 0
    reserved: int = 0
    utilisation: float | None = 0.0
    temperature: int | None = 40
    power: float | None = 30.0
    throttle: int | None = 0
    ecc_errors: int | None = 0
    compute: dict[int, int | None] = field(default_factory=dict)
    graphics: dict[int, int | None] = field(default_factory=dict)
    mig: "list[ScriptedGpu | None] | None" = None
    instance: tuple[int, int] | None = None
    unsupported: set[str] = field(default_factory=set)
    memory_v2: bool = True


@dataclass(frozen=True)
class _Handle:
    gpu: ScriptedGpu
    generation: int


@dataclass
class _Failure:
    error: Exception
    left: float
    gpu: ScriptedGpu | None


def _offered(function: F) -> F:
    name = function.__name__

    @wraps(function)
    def call(nvml: "ScriptedNvml", *args: Any, **kwargs: Any) -> Any:
        nvml.calls[name] += 1
        handle = args[0] if args and isinstance(args[0], _Handle) else None
        nvml._raise_scripted(name, handle)
        if not nvml.users and name != "nvmlInit":
            raise pynvml.NVMLError(pynvml.NVML_ERROR_UNINITIALIZED)
        if handle is not None:
            if handle.generation != nvml._generation:
                raise pynvml.NVMLError(pynvml.NVML_ERROR_INVALID_ARGUMENT)
            if name in handle.gpu.unsupported:
                raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return function(nvml, *args, **kwargs)

    return call  # pyright: ignore[reportReturnType]


def _supported(value: Any) -> Any:
    if value is None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
    return value


class ScriptedNvml:
    """Stands for the module pynvml: its functions as far as gearshift uses them, its errors and its constants.

    As the real one, it counts its users, raises `NVMLError_Uninitialized` before the first `nvmlInit`, and takes no
    handle from before a restart. `calls` counts the calls of each function, `users` those who have it initialised.

    >>> nvml = ScriptedNvml(ScriptedGpu("GPU-1", total=1000, used=600, reserved=50))
    >>> nvml.nvmlInit()
    >>> handle = nvml.nvmlDeviceGetHandleByIndex(0)
    >>> nvml.nvmlDeviceGetMemoryInfo(handle).used
    650
    >>> nvml.fail("nvmlDeviceGetMemoryInfo", nvml.NVML_ERROR_GPU_IS_LOST, times=1)
    >>> nvml.nvmlDeviceGetMemoryInfo(handle)
    Traceback (most recent call last):
        ...
    pynvml.NVMLError_GpuIsLost: GPU is lost
    """

    def __init__(self, *gpus: ScriptedGpu) -> None:
        self.gpus = list(gpus)
        self.calls: Counter[str] = Counter()
        self.users = 0
        self._generation = 0
        self._failures: dict[str, list[_Failure]] = {}

    def __getattr__(self, name: str) -> Any:
        found = getattr(pynvml, name)
        if isroutine(found):
            raise AttributeError(f"{name} is not scripted")
        return found

    def fail(
        self, function: str, error: int | Exception, *, times: float = float("inf"), gpu: ScriptedGpu | None = None
    ) -> None:
        """Let the next calls of `function` raise.

        Args:
            function: name of a function that is offered here.
            error: an NVML code, from 1 on, or the exception itself.
            times: how many calls; for ever by default.
            gpu: only calls for this GPU; `nvmlDeviceGetHandleByIndex` counts as a call for the GPU that it looks up.

        Raises ValueError for a function that is not offered.
        """
        if function not in offered():
            raise ValueError(f"function must be one of those offered here, got {function!r}")
        raised = error if isinstance(error, Exception) else pynvml.NVMLError(error)
        self._failures.setdefault(function, []).append(_Failure(raised, times, gpu))

    def heal(self) -> None:
        """Forget all scripted failures."""
        self._failures.clear()

    def _raise_scripted(self, function: str, handle: _Handle | None, gpu: ScriptedGpu | None = None) -> None:
        here = handle.gpu if handle is not None else gpu
        for failure in self._failures.get(function, ()):
            if failure.left > 0 and (failure.gpu is None or failure.gpu is here):
                failure.left -= 1
                raise failure.error

    def _handle(self, gpu: ScriptedGpu) -> _Handle:
        return _Handle(gpu, self._generation)

    @_offered
    def nvmlInit(self) -> None:
        if not self.users:
            self._generation += 1
        self.users += 1

    @_offered
    def nvmlShutdown(self) -> None:
        self.users -= 1

    @_offered
    def nvmlDeviceGetCount(self) -> int:
        return len(self.gpus)

    @_offered
    def nvmlDeviceGetHandleByIndex(self, index: int) -> _Handle:
        if not 0 <= index < len(self.gpus):
            raise pynvml.NVMLError(pynvml.NVML_ERROR_INVALID_ARGUMENT)
        self._raise_scripted("nvmlDeviceGetHandleByIndex", None, self.gpus[index])
        return self._handle(self.gpus[index])

    @_offered
    def nvmlDeviceGetUUID(self, handle: _Handle) -> str:
        return handle.gpu.uuid

    @_offered
    def nvmlDeviceGetName(self, handle: _Handle) -> str:
        return handle.gpu.name

    @_offered
    def nvmlDeviceGetMemoryInfo(self, handle: _Handle, version: int | None = None) -> Any:
        gpu = handle.gpu
        total = _supported(gpu.total)
        free = total - gpu.used - gpu.reserved
        if not version:
            return pynvml.c_nvmlMemory_t(total, free, total - free)
        if not gpu.memory_v2:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_FUNCTION_NOT_FOUND)
        if version != pynvml.nvmlMemory_v2:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_ARGUMENT_VERSION_MISMATCH)
        return pynvml.c_nvmlMemory_v2_t(version, total, gpu.reserved, free, gpu.used)

    @_offered
    def nvmlDeviceGetUtilizationRates(self, handle: _Handle) -> Any:
        return pynvml.c_nvmlUtilization_t(round(100 * _supported(handle.gpu.utilisation)), 0)

    @_offered
    def nvmlDeviceGetTemperatureV(self, handle: _Handle, sensor: int, version: int = pynvml.nvmlTemperature_v1) -> int:
        if version != pynvml.nvmlTemperature_v1:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_ARGUMENT_VERSION_MISMATCH)
        return self._temperature(handle, sensor)

    @_offered
    def nvmlDeviceGetTemperature(self, handle: _Handle, sensor: int) -> int:
        return self._temperature(handle, sensor)

    def _temperature(self, handle: _Handle, sensor: int) -> int:
        if sensor != pynvml.NVML_TEMPERATURE_GPU:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_INVALID_ARGUMENT)
        return _supported(handle.gpu.temperature)

    @_offered
    def nvmlDeviceGetPowerUsage(self, handle: _Handle) -> int:
        return round(1000 * _supported(handle.gpu.power))

    @_offered
    def nvmlDeviceGetCurrentClocksEventReasons(self, handle: _Handle) -> int:
        return _supported(handle.gpu.throttle)

    @_offered
    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle: _Handle) -> int:
        return _supported(handle.gpu.throttle)

    @_offered
    def nvmlDeviceGetTotalEccErrors(self, handle: _Handle, errorType: int, counterType: int) -> int:  # noqa: ARG002
        count = _supported(handle.gpu.ecc_errors)
        return count if errorType == pynvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED else 0

    @_offered
    def nvmlDeviceGetComputeRunningProcesses_v3(self, handle: _Handle) -> list[Any]:
        return self._processes(handle, handle.gpu.compute)

    @_offered
    def nvmlDeviceGetComputeRunningProcesses_v2(self, handle: _Handle) -> list[Any]:
        return self._processes(handle, handle.gpu.compute)

    @_offered
    def nvmlDeviceGetGraphicsRunningProcesses_v3(self, handle: _Handle) -> list[Any]:
        return self._processes(handle, handle.gpu.graphics)

    @_offered
    def nvmlDeviceGetGraphicsRunningProcesses_v2(self, handle: _Handle) -> list[Any]:
        return self._processes(handle, handle.gpu.graphics)

    def _processes(self, handle: _Handle, processes: dict[int, int | None]) -> list[Any]:
        none = pynvml.NVML_VALUE_NOT_AVAILABLE_uint.value
        gpu_instance, compute_instance = handle.gpu.instance or (none, none)
        return [
            pynvml.nvmlFriendlyObject(
                {
                    "pid": pid,
                    "usedGpuMemory": used,
                    "gpuInstanceId": gpu_instance,
                    "computeInstanceId": compute_instance,
                }
            )
            for pid, used in processes.items()
        ]

    @_offered
    def nvmlDeviceGetMigMode(self, device: _Handle) -> list[int]:
        if device.gpu.instance is not None:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_INVALID_ARGUMENT)
        mode = pynvml.NVML_DEVICE_MIG_DISABLE if device.gpu.mig is None else pynvml.NVML_DEVICE_MIG_ENABLE
        return [mode, mode]

    @_offered
    def nvmlDeviceGetMaxMigDeviceCount(self, device: _Handle) -> int:
        return 0 if device.gpu.mig is None else max(7, len(device.gpu.mig))

    @_offered
    def nvmlDeviceGetMigDeviceHandleByIndex(self, device: _Handle, index: int) -> _Handle:
        instances = device.gpu.mig or []
        found = instances[index] if 0 <= index < len(instances) else None
        if found is None:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return self._handle(found)

    @_offered
    def nvmlDeviceGetGpuInstanceId(self, device: _Handle) -> int:
        return _supported(device.gpu.instance)[0]

    @_offered
    def nvmlDeviceGetComputeInstanceId(self, device: _Handle) -> int:
        return _supported(device.gpu.instance)[1]


def offered() -> tuple[str, ...]:
    """Names of the functions that `ScriptedNvml` offers; each has the signature that it has in pynvml."""
    return tuple(name for name, value in vars(ScriptedNvml).items() if name.startswith("nvml") and isroutine(value))
