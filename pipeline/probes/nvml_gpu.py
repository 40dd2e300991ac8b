"""What one NVIDIA GPU, or one MIG instance, says about itself."""

from collections.abc import Collection
from functools import lru_cache
from typing import Any, NamedTuple

from ..samples import Device
from .nvml_faults import Question, each, way
from .nvml_visible import Card

_REASONS = {
    0x004: "sw_power_cap",
    0x008: "hw_slowdown",
    0x010: "sync_boost",
    0x020: "sw_thermal_slowdown",
    0x040: "hw_thermal_slowdown",
    0x080: "hw_power_brake_slowdown",
    0x200: "board_limit",
    0x400: "reliability",
}
_BENIGN = 0x001 | 0x002 | 0x100
_UNKNOWN_BYTES = (1 << 64) - 1


@lru_cache(maxsize=64)
def throttle_names(mask: int) -> tuple[str, ...]:
    """Names of the reasons in a mask of clock event reasons, as in the columns of `nvidia-smi`.

    Left out, since nothing is held back by them: idle, and the clock limits that someone has set (application clocks,
    display clocks). A reason that has no name yet keeps its bit.

    >>> throttle_names(0x1 | 0x4 | 0x20 | 0x1000)
    ('sw_power_cap', 'sw_thermal_slowdown', 'reason_0x1000')

    Source: NVML, "NvmlClocksEventReasons".
    """
    bits = (1 << shift for shift in range(mask.bit_length()))
    return tuple(_REASONS.get(bit, f"reason_{bit:#x}") for bit in bits if mask & bit & ~_BENIGN)


class Memory(NamedTuple):
    """Bytes of device memory; `used` is what a new allocation cannot have, with what the driver reserves."""

    total: int
    used: int
    reserved: int | None


class Gpu:
    """Asks one device, by the newest way that its driver offers; what it doesn't offer is asked once.

    A MIG instance answers for its memory, its processes and its errors; the temperature and the reasons for a lower
    clock are its GPU's where it has none of its own. Power and utilisation are not taken from the GPU, whose instances
    share them.
    """

    __slots__ = ("_clocks", "_ecc", "_power", "_processes", "_temperature", "_utilisation", "memory")

    def __init__(self, nvml: Any, card: Card) -> None:
        handle = card.handle
        boards = [handle] if card.parent is None else [handle, card.parent]

        def named(*names: str) -> list[Any]:
            return [getattr(nvml, name, None) for name in names]

        (info,) = named("nvmlDeviceGetMemoryInfo")
        second = getattr(nvml, "nvmlMemory_v2", None)
        self.memory: Question[Any] = Question(
            way(info, handle, second) if second is not None else None, way(info, handle), vital=True
        )
        self._utilisation = Question(*each(named("nvmlDeviceGetUtilizationRates"), handle))
        thermometers = named("nvmlDeviceGetTemperatureV", "nvmlDeviceGetTemperature")
        self._temperature = Question(*(w for b in boards for w in each(thermometers, b, nvml.NVML_TEMPERATURE_GPU)))
        self._power = Question(*each(named("nvmlDeviceGetPowerUsage"), handle))
        reasons = named("nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons")
        self._clocks = Question(*(w for b in boards for w in each(reasons, b)))
        kinds = nvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, nvml.NVML_VOLATILE_ECC
        self._ecc = Question(*each(named("nvmlDeviceGetTotalEccErrors"), handle, *kinds))
        self._processes: dict[str, Question[Any]] = {
            function: Question(*each(named(f"{function}_v3", f"{function}_v2"), handle))
            for function in ("nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses")
        }

    def read(self) -> tuple[Memory | None, Device]:
        """Memory, None where it can't be read now or has no meaning, and the rest. Raises when the device is lost."""
        memory = self._memory()
        rates = self._utilisation.ask()
        milliwatts = self._power.ask()
        temperature = self._temperature.ask()
        mask = self._clocks.ask()
        return memory, Device(
            utilisation=None if rates is None else min(1.0, rates.gpu / 100),
            temperature=None if temperature is None else float(temperature),
            power=None if milliwatts is None else milliwatts / 1000,
            reserved=None if memory is None else memory.reserved,
            throttled=throttle_names(mask) if mask else (),
            ecc_errors=self._ecc.ask(),
        )

    def _memory(self) -> Memory | None:
        seen = self.memory.ask()
        if seen is None:
            return None
        total, free = seen.total, seen.free
        if not 0 <= free <= total or total == 0:
            raise ValueError(f"{free} bytes free of {total}")
        return Memory(total, total - free, getattr(seen, "reserved", None))

    def held(self, pids: Collection[int], told: set[str]) -> dict[int, int]:
        """Bytes that each of these processes holds here; those of which the driver can't say are left out.

        told: the lists that it has given before, kept here. Raises where one of them isn't to be had any more: what is
        ours would count as others'.
        """
        found: dict[int, int] = {}
        for name, question in self._processes.items():
            listed = question.ask()
            if listed is None:
                if name in told:
                    raise question.error or RuntimeError("its processes are no longer told")
                continue
            told.add(name)
            for process in listed:
                used = process.usedGpuMemory
                if process.pid in pids and used is not None and used != _UNKNOWN_BYTES:
                    found[process.pid] = max(found.get(process.pid, 0), used)
        return found
