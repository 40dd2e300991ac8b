"""What kind of machine this is, by what it has (not by what happens to be free)."""

import math
import os
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, overload

from .configuring import Effective, combined, field, from_value, layer
from .probes.cores import usable_cores
from .probes.nvml import NvmlProbe
from .probes.ram import ram_limits
from .rungs import Rung
from .settings import Settings
from .settings_sources import in_environment, in_file
from .tier_file import SHIPPED, Thresholds, Tier, TierError, read_tiers
from .toml_file import expanded
from .words import GIB

VARIABLE = "GEARSHIFT_TIERS"


class HardwareTierDetector:
    """Puts a machine in exactly one tier: the first, from the top, whose minimum it reaches.

    The tiers come from the file `tiers`; without it from the file that the environment variable GEARSHIFT_TIERS names;
    without that (or when it is empty) from the one that ships. What isn't given of the machine is read from this one,
    once: totals, under the limits in force.

    Args:
        tiers: a TOML file of `[[tier]]` tables, best first, with the keys of `Tier`.
        memory: bytes of RAM.
        cores: that may be used; a fraction under a CPU quota.
        accelerators: bytes of each, by the name of its pool (`cuda:0`).

    Raises:
        TierError: for a file that can't be used.
        ValueError: for memory, cores or an accelerator that is not above 0.

    >>> machine = HardwareTierDetector(memory=24 << 30, cores=2, accelerators={})
    >>> machine.detect().name
    'mid_range'
    >>> machine.scaling_thresholds()
    {'high': 0.8, 'critical': 0.92, 'hysteresis': 0.03, 'interval': 1.0, 'window': 30.0}
    >>> machine.can_run(Rung("qwen-7b-bf16", {"ram": 15 << 30})), machine.can_run(Rung("on a GPU", {"cuda:0": 1}))
    (True, False)
    >>> print(machine.explain())
    mid_range: 24 GiB of RAM and 2 cores reach its 11 GiB and 2 cores. For high_end the machine lacks 21 GiB of RAM \
and 6 cores, or an accelerator of 22 GiB.
    """

    def __init__(
        self,
        tiers: str | Path | None = None,
        *,
        memory: int | None = None,
        cores: float | None = None,
        accelerators: Mapping[str, int] | None = None,
    ) -> None:
        named = os.environ.get(VARIABLE) if tiers is None else None
        self.file = expanded(
            Path(tiers if tiers is not None else named or SHIPPED), TierError, "give the path of a tiers file in full",
            named_by=VARIABLE if named else "",
        )  # fmt: skip
        self.tiers = read_tiers(self.file, named_by=VARIABLE if named else "")
        self.memory = memory if memory is not None else min(limit.total for limit in ram_limits())
        self.cores = cores if cores is not None else usable_cores()
        self.accelerators = dict(accelerators) if accelerators is not None else _accelerators()
        told = {"memory": self.memory, "cores": self.cores}
        for name, value in {**told, **{f"accelerators[{k!r}]": v for k, v in self.accelerators.items()}}.items():
            if not (math.isfinite(value) and value > 0):
                unit = "cores" if name == "cores" else "bytes"
                raise ValueError(f"{name} must be {unit} above 0, got {name}={value!r}")

    def detect(self) -> Tier:
        """The machine's tier."""
        return next(tier for tier in self.tiers if tier.reached_by(self.memory, self.cores, self.accelerators))

    def scaling_thresholds(self) -> Thresholds:
        """The tier's ceilings, interval and window, as keyword arguments of `Settings`."""
        return self.detect().thresholds()

    @overload
    def preferred_rungs(self) -> list[str]: ...
    @overload
    def preferred_rungs(self, ladder: Iterable[Rung]) -> list[Rung]: ...
    def preferred_rungs(self, ladder: Iterable[Rung] | None = None) -> list[str] | list[Rung]:
        """The tier's patterns; with a ladder the rungs that match one and can run, best first.

        Best is what matches an earlier pattern; among those of one pattern the ladder's order stays.

        >>> sizes = [Rung("30b", {"ram": 60 << 30}), Rung("x-7b", {"ram": 15 << 30}), Rung("x-3B", {"ram": 6 << 30})]
        >>> machine = HardwareTierDetector(memory=24 << 30, cores=2, accelerators={})
        >>> [rung.name for rung in machine.preferred_rungs(sizes)]
        ['x-3B', 'x-7b']
        """
        patterns = self.detect().preferred
        if ladder is None:
            return list(patterns)
        left, chosen = [rung for rung in ladder if self.can_run(rung)], []
        for pattern in patterns:
            chosen += [rung for rung in left if fnmatchcase(rung.name.lower(), pattern.lower())]
            left = [rung for rung in left if rung not in chosen]
        return chosen

    def can_run(self, rung: Rung) -> bool:
        """Whether all that the rung needs is within `critical` of what the machine has, were nothing else running.

        False when the rung needs a pool that the machine lacks.
        """
        pools, critical = {"ram": self.memory, **self.accelerators}, self.detect().critical
        return all(need <= critical * pools.get(pool, 0) for pool, need in rung.need.items())

    def explain(self) -> str:
        """Which tier and why, and what is missing for the one above; two sentences."""
        tier = self.detect()
        at = self.tiers.index(tier)
        text = f"{tier.name}: {self._reached(tier)}."
        if at == 0:
            return f"{text} There is no tier above."
        return f"{text} For {self.tiers[at - 1].name} the machine lacks {self._lacks(self.tiers[at - 1])}."

    def _reached(self, tier: Tier) -> str:
        has = f"{_gib(self.memory)} of RAM and {_cores(self.cores)}"
        if tier.reached_by(self.memory, self.cores, {}):
            if not (tier.min_memory_gib or tier.min_cores):
                return f"{has}; it has no minimum"
            return f"{has} reach its {_gib(tier.min_memory_gib * GIB)} and {_cores(tier.min_cores)}"
        pool = max(self.accelerators, key=self.accelerators.__getitem__)
        return (
            f"{pool} with {_gib(self.accelerators[pool])} reaches its accelerator of "
            f"{_gib((tier.min_accelerator_gib or 0) * GIB)}"
        )

    def _lacks(self, tier: Tier) -> str:
        memory, cores = tier.min_memory_gib * GIB - self.memory, tier.min_cores - self.cores
        lacks = [f"{_gib(memory, up=True)} of RAM"] if memory > 0 else []
        lacks += [_cores(cores, up=True)] if cores > 0 else []
        by = tier.min_accelerator_gib
        return " and ".join(lacks) + (f", or an accelerator of {_gib(by * GIB)}" if by is not None else "")


def _gib(count: float, *, up: bool = False) -> str:
    return f"{_hundredths(count / GIB, up=up)} GiB"


def _cores(count: float, *, up: bool = False) -> str:
    told = _hundredths(count, up=up)
    return f"{told} {'core' if told == '1' else 'cores'}"


def _hundredths(value: float, *, up: bool) -> str:
    """What a machine has is rounded down and what it lacks up: one byte short of 45 GiB is not 45 GiB, nor lacks 0."""
    return f"{(math.ceil if up else math.floor)(round(value * 100, 8)) / 100:.15g}"


def _accelerators() -> dict[str, int]:
    probe = NvmlProbe()
    try:
        pools = probe.read().pools
    finally:
        probe.close()
    return {name: pool.total for name, pool in pools.items() if pool is not None}


def machine_settings(file: str | Path | None = None, /, **changes: Any) -> Settings:
    """The settings for this machine: `changes`, else what its user set, else its tier, else the defaults.

    What its user set is in a TOML file, else in environment variables such as GEARSHIFT_HIGH. The file is `file`, else
    the one that GEARSHIFT_SETTINGS names, else `gearshift/settings.toml` under XDG_CONFIG_HOME or `~/.config`, where
    there is one. `effective_settings` tells where each value came from.

    Raises SettingsError for an unknown key or a value that can't be, wherever it is said, even if another one counts.

    >>> machine_settings(high=0.7, critical=0.9).high
    0.7
    >>> machine_settings(hihg=0.7)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    gearshift.pipeline.configuring.SettingsError: code: unknown key 'hihg'; did you mean high? The keys are ...
    """
    return effective_settings(file, changes).settings


def effective_settings(
    file: str | Path | None = None, changes: Mapping[str, Any] | None = None, *, changed_by: str = "code"
) -> Effective:
    """The same, and of each value where it came from.

    Args:
        file, changes: as of `machine_settings`. changed_by: what the changes are from, for their source and errors.

    >>> effective_settings(changes={"alpha": 0.2}).values["alpha"]
    Value(value=0.2, source='code')
    """
    changed = {field(changed_by, key): from_value(changed_by, key, value) for key, value in (changes or {}).items()}
    environment, left_alone = in_environment()
    detector = HardwareTierDetector()
    tier = layer(dict(detector.scaling_thresholds()), f"tier {detector.detect().name}")
    return combined(layer(changed, changed_by), in_file(file), environment, tier, left_alone=left_alone)
