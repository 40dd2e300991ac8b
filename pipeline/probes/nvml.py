"""Memory of NVIDIA GPUs; quietly nothing where there is no driver."""

from typing import Any

from ..samples import Pool, Reading


class NvmlProbe:
    """A pool `cuda:N` for each GPU. Without a driver there are no pools and `read` returns an empty Reading.

    Used is total - free, so that memory which the driver reserves counts. Own memory is not told apart here.
    Raises pynvml.NVMLError from `read` when a GPU that was there stops answering.
    """

    name = "nvml"

    def __init__(self) -> None:
        self._handles: list[Any] = []
        try:
            import pynvml
        except ImportError:
            return
        try:
            pynvml.nvmlInit()
            self._handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        except pynvml.NVMLError:
            self._handles = []
        self._nvml = pynvml

    @property
    def pools(self) -> tuple[str, ...]:
        return tuple(f"cuda:{i}" for i in range(len(self._handles)))

    def read(self) -> Reading:
        pools: dict[str, Pool | None] = {}
        for name, handle in zip(self.pools, self._handles, strict=True):
            memory = self._nvml.nvmlDeviceGetMemoryInfo(handle)
            pools[name] = Pool(int(memory.total), int(memory.total) - int(memory.free))
        return Reading(pools=pools)
