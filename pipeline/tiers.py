"""What kind of machine this is, by what it has (not by what happens to be free)."""

import os
import tomllib
from importlib import resources

import msgspec

from .probes.ram import ram_limits
from .settings import Settings


class Tier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A class of machines and its ceiling. Memory in GiB, `high` a fraction."""

    name: str
    min_memory_gib: float
    min_cores: int
    high: float


class HardwareTierDetector:
    """Puts a machine in exactly one tier of `tiers.toml`.

    >>> HardwareTierDetector(memory=24 << 30, cores=2).detect().name
    'mid_range'
    >>> HardwareTierDetector(memory=64 << 30, cores=2).scaling_thresholds()
    {'high': 0.8}
    """

    def __init__(self, *, memory: int | None = None, cores: int | None = None) -> None:
        self.memory = memory if memory is not None else min(limit.total for limit in ram_limits())
        self.cores = cores if cores is not None else len(os.sched_getaffinity(0))

    def detect(self) -> Tier:
        text = resources.files(__package__ or "gearshift.pipeline").joinpath("tiers.toml").read_text()
        tiers = msgspec.convert(tomllib.loads(text)["tier"], list[Tier])
        return next(t for t in tiers if self.memory >= t.min_memory_gib * 2**30 and self.cores >= t.min_cores)

    def scaling_thresholds(self) -> dict[str, float]:
        """The tier's ceilings, as keyword arguments of `Settings`."""
        return {"high": self.detect().high}


def machine_settings() -> Settings:
    """The defaults, with this machine's tier's ceiling."""
    return Settings(high=HardwareTierDetector().detect().high)
