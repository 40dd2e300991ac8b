"""What this process holds, and giving it back."""

import ctypes
import gc
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from ...pipeline.probes.ram import Own, ram_limits
from ...pipeline.settings import Settings

_STATUS = Path("/proc/self/status")


class Resident(NamedTuple):
    """Resident bytes of this process, and the part of them in memory-mapped files."""

    rss: int
    mapped: int


def resident() -> Resident:
    """A cheap reading; where the kernel doesn't tell the mapped part, it is 0."""
    if not _STATUS.exists():
        return Resident(psutil.Process().memory_info().rss, 0)
    kib = {line.split(":")[0]: line.split()[1] for line in _STATUS.read_text().splitlines() if line.startswith("Rss")}
    mapped = int(kib["RssFile"]) * 1024
    return Resident(int(kib["RssAnon"]) * 1024 + int(kib["RssShmem"]) * 1024 + mapped, mapped)


def allocated() -> dict[str, int]:
    """Bytes of tensors by accelerator, as PyTorch counts them; none where it has touched no accelerator."""
    torch: Any = sys.modules.get("torch")
    if getattr(torch, "mps", None) is None:  # not imported, or not to the end
        return {}
    found: dict[str, int] = {}
    for kind in ("cuda", "xpu"):
        device = getattr(torch, kind, None)
        if device is not None and device.is_available() and device.is_initialized():
            found |= {f"{kind}:{i}": int(device.memory_allocated(i)) for i in range(device.device_count())}
    if torch.backends.mps.is_available():
        found["mps"] = int(torch.mps.current_allocated_memory())
    return found


def pressed() -> bool:
    """Is memory so short that an error of no known kind may come from that? By the critical share of a limit in use."""
    critical = Settings().critical
    limits = ram_limits()
    if any(limit.used >= critical * limit.total for limit in limits):
        return True
    return _address_space_used() >= critical or any(used >= critical for used in _device_use())


def _address_space_used() -> float:
    """The share in use of what `ulimit -v` allows; 0 where there is no such limit."""
    try:
        import resource
    except ImportError:
        return 0.0
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return psutil.Process().memory_info().vms / limit if limit not in (resource.RLIM_INFINITY, 0) else 0.0


def _device_use() -> list[float]:
    torch = sys.modules["torch"] if allocated() else None
    if torch is None or not (torch.cuda.is_available() and torch.cuda.is_initialized()):
        return []
    free = [torch.cuda.mem_get_info(i) for i in range(torch.cuda.device_count())]
    return [1 - there / total for there, total in free]


def trim(*, garbage: bool = True) -> None:
    """Hand what is free in PyTorch's caches and in the C heap (glibc) back. garbage: collect it first, 0.2 s."""
    if garbage:
        gc.collect()
    torch = sys.modules.get("torch")
    for pool in allocated():
        getattr(torch, pool.split(":")[0]).empty_cache()
    if sys.platform.startswith("linux"):
        release = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if release is not None:
            release(0)


def unhook(model: Any) -> None:
    """Take accelerate's hooks off: each holds its module, and with it the weights."""
    if any(hasattr(module, "_hf_hook") for module in model.modules()):
        from accelerate.hooks import remove_hook_from_module

        remove_hook_from_module(model, recurse=True)
    for module in model.modules():
        own = vars(module).get("forward")
        if getattr(own, "__func__", None) is type(module).forward:
            del module.forward  # left there as the module's own attribute, it holds the module


class Reading(NamedTuple):
    """What the process holds: RAM, and bytes by accelerator."""

    ram: Resident
    devices: Mapping[str, int]

    def growth(self, before: "Reading") -> dict[str, int]:
        """Bytes by pool, never below 0."""
        grown = {"ram": self.ram.rss - before.ram.rss}
        grown |= {pool: size - before.devices.get(pool, 0) for pool, size in self.devices.items()}
        return {pool: max(0, size) for pool, size in grown.items()}


def reading() -> Reading:
    return Reading(resident(), allocated())


class Ledger:
    """What our models hold: measured by what the process grew by during a load, live while one is under way.

    Thread-safe: loads write, the sampler reads.
    """

    def __init__(self, read: Callable[[], Reading] = reading) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._held: dict[str, dict[str, int]] = {}
        self._mapped: dict[str, int] = {}
        self._loading: Reading | None = None

    def own(self) -> Own:
        """RAM of all models. Never more than the process has: the kernel takes mapped pages back when it must."""
        with self._lock:
            now = self._read()
            extra = self._growth(now)
            used = sum(held.get("ram", 0) for held in self._held.values()) + extra.used
            mapped = min(sum(self._mapped.values()) + extra.mapped, now.ram.mapped)
            return Own(min(used, now.ram.rss), mapped)

    def held(self, name: str) -> dict[str, int]:
        """Bytes by pool that `name` was measured to take; empty when it isn't held."""
        with self._lock:
            return dict(self._held.get(name, {}))

    def begin(self) -> None:
        with self._lock:
            self._loading = self._read()

    def end(self, name: str | None) -> dict[str, int]:
        """Close the load; with a name, what it took is held under that name until `drop`."""
        with self._lock:
            now, before = self._read(), self._loading
            mapped = self._growth(now).mapped
            self._loading = None
            grown = now.growth(before) if before is not None else {}
            if name is not None:
                self._held[name], self._mapped[name] = grown, mapped
            return grown

    def drop(self, name: str) -> dict[str, int]:
        with self._lock:
            self._mapped.pop(name, None)
            return self._held.pop(name, {})

    def _growth(self, now: Reading) -> Own:
        before = self._loading
        if before is None:
            return Own()
        mapped = max(0, now.ram.mapped - before.ram.mapped)
        return Own(max(mapped, now.ram.rss - before.ram.rss), mapped)
