"""What workers hold on NVIDIA GPUs."""

import threading
from typing import Any

from ...pipeline.probes.nvml import NvmlProbe


class GpuReader:
    """Asks NVML, which is started when it is first asked. Thread-safe. nvml: a module like pynvml; by default that."""

    def __init__(self, nvml: Any = None) -> None:
        self._nvml = nvml
        self._lock = threading.Lock()
        self._pid: tuple[int, ...] = ()
        self._probe: NvmlProbe | None = None

    def held(self, pid: int) -> dict[str, int]:
        """Bytes by pool that NVML lists for this process. Nothing without NVML, and where its process ids are others
        (containers)."""
        with self._lock:
            if self._probe is None:
                self._probe = NvmlProbe(self._nvml, pids=lambda: self._pid)
            self._pid = (pid,)
            pools = self._probe.read().pools
        return {name: pool.own for name, pool in pools.items() if pool is not None and pool.own}

    def close(self) -> None:
        with self._lock:
            if self._probe is not None:
                self._probe.close()
            self._probe = None
