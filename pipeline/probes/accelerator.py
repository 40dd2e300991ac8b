"""Accelerators without a vendor library: AMD's (ROCm), Intel's (XPU), Apple's (MPS) and others, by what torch says."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import psutil

from ..samples import Pool, Reading
from .loaded_torch import loaded

log = logging.getLogger("gearshift.pipeline")


def _available() -> int:
    return psutil.virtual_memory().available


class AcceleratorProbe:
    """Pools of the accelerator that torch runs on, named as torch names them: `cuda:0` (ROCm), `xpu:0`, `mps`.

    There is nothing to tell until something else has imported torch and woken its accelerator: a question must neither
    import torch nor open a device. Where there are several devices, one is told of once torch has held memory on it;
    asking the others would open them. NVIDIA's are left to `NvmlProbe`.

    Memory that is the host's is counted once. An integrated GPU (XPU, ROCm) gets no pool: `ram` holds its models.
    Apple's gets the pool `mps`, a window on the same memory: its total is Metal's recommended working set, and a new
    allocation can have what is left of that, and no more than the RAM that is available, so that pressure in RAM is
    pressure here. A model there is `own` in `mps`; `in_ram` tells how much of `ram` that is, so that the pool `ram`
    need not take it for someone else's. A rung names one of the two pools, and their sum means nothing.

    A device that can't be read has the pool None and is named in `missing`; this is logged once.

    Args:
        torch: gives the module torch, or None; must not import it.
        available: bytes of RAM that a new allocation can have.

    Source: torch.accelerator, torch.cuda, torch.xpu and torch.mps; Metal, `recommendedMaxWorkingSetSize`.
    """

    name = "accelerator"

    def __init__(self, torch: Callable[[], Any] = loaded, *, available: Callable[[], int] = _available) -> None:
        self._torch, self._available = torch, available
        self._integrated: dict[str, bool] = {}
        self._opened: set[str] = set()
        self._failing: set[str] = set()

    @property
    def pools(self) -> tuple[str, ...]:
        return tuple(sorted(name for name in self._opened if not self._integrated.get(name)))

    def read(self) -> Reading:
        torch = self._torch()
        kind = _kind(torch)
        if kind is None:
            return Reading()
        if kind == "mps":
            return self._reading({"mps": partial(self._window, torch.mps)})
        module = getattr(torch, kind, None)
        if module is None or not _initialised(module):
            return Reading()
        memory, count = _Memory(module, torch), module.device_count()
        names = {f"{kind}:{index}": index for index in range(count)}
        return self._reading({n: partial(self._device, memory, n, i, alone=count == 1) for n, i in names.items()})

    def in_ram(self) -> int:
        """Bytes in RAM that torch holds for this process through unified memory; 0 where the device has its own."""
        torch = self._torch()
        kind = _kind(torch)
        try:
            if kind == "mps":
                return torch.mps.driver_allocated_memory() if torch.mps.is_available() else 0
            shared = [name for name, integrated in self._integrated.items() if integrated]
            memory = _Memory(getattr(torch, kind), torch) if kind is not None and shared else None
            return sum(memory.reserved(int(name.rsplit(":", 1)[1])) for name in shared) if memory is not None else 0
        except Exception:  # noqa: BLE001 - a device that can't answer is told of by `read`
            return 0

    def _reading(self, devices: dict[str, Callable[[], Pool | None]]) -> Reading:
        pools: dict[str, Pool | None] = {}
        missing: list[str] = []
        for name, look in devices.items():
            try:
                pool = look()
            except Exception as error:  # noqa: BLE001 - a lost device raises what it likes; the others still count
                if name not in self._failing:
                    log.warning("%s can't be read: %s; unknown until it can", name, error)
                self._failing.add(name)
                missing.append(name)
                if not self._integrated.get(name):
                    pools[name] = None
                continue
            self._failing.discard(name)
            if pool is not None:
                pools[name] = pool
        return Reading(pools=pools, missing=tuple(missing))

    def _device(self, memory: "_Memory", name: str, index: int, *, alone: bool) -> Pool | None:
        own = memory.reserved(index)
        if not alone and not own and name not in self._opened and not memory.has_held(index):
            return None
        self._opened.add(name)
        if name not in self._integrated:
            self._integrated[name] = memory.integrated(index)
        if self._integrated[name]:
            return None
        free, total = memory.free_and_total(index)
        return _pool(total, free, own)

    def _window(self, mps: Any) -> Pool | None:
        if not mps.is_available():
            return None
        self._opened.add("mps")
        total, own = mps.recommended_max_memory(), mps.driver_allocated_memory()
        return _pool(total, max(0, min(total - own, self._available())), own)


class _Memory:
    """torch's memory functions of one kind of device: the kind's own module, else `torch.accelerator`."""

    def __init__(self, module: Any, torch: Any) -> None:
        self._module, self._general = module, torch.accelerator

    def reserved(self, index: int) -> int:
        return int((getattr(self._module, "memory_reserved", None) or self._general.memory_reserved)(index))

    def has_held(self, index: int) -> bool:
        peak = getattr(self._module, "max_memory_reserved", None) or self._general.max_memory_reserved
        return peak(index) > 0

    def free_and_total(self, index: int) -> tuple[int, int]:
        return (getattr(self._module, "mem_get_info", None) or self._general.get_memory_info)(index)

    def integrated(self, index: int) -> bool:
        properties = getattr(self._module, "get_device_properties", lambda _: None)(index)
        return bool(getattr(properties, "is_integrated", 0) or getattr(properties, "is_integrated_gpu", False))


def _kind(torch: Any) -> str | None:
    """The kind of accelerator that torch was built for, None for none, for NVIDIA's, and for a half imported torch."""
    try:
        device = torch.accelerator.current_accelerator()
        nvidia = device is not None and device.type == "cuda" and torch.version.hip is None
    except AttributeError:
        return None
    return None if device is None or nvidia else device.type


def _initialised(module: Any) -> bool:
    asked = getattr(module, "is_initialized", None)
    return asked is not None and bool(asked())


def _pool(total: int, free: int, own: int) -> Pool:
    if not 0 <= free <= total or total == 0:
        raise ValueError(f"{free} bytes free of {total}")
    return Pool(total, total - free, min(own, total - free))
