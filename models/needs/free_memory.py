"""The memory that models can have on this machine, by pool."""

from ...pipeline.probes.accelerator import AcceleratorProbe
from ...pipeline.probes.nvml import NvmlProbe
from ...pipeline.probes.ram import RamProbe


def room() -> dict[str, int]:
    """Bytes free in each pool now, the accelerators in order, then `ram`; a pool that can't be read has none."""
    found = {}
    for probe in (NvmlProbe(), AcceleratorProbe()):
        for name, pool in sorted(probe.read().pools.items()):
            found.setdefault(name, pool.total - pool.used if pool is not None else 0)
    ram = RamProbe().read().pools["ram"]
    return {**found, "ram": ram.total - ram.used if ram is not None else 0}
