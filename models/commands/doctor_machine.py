"""What a doctor sees of the machine, by the probes that gearshift samples with."""

import platform
import sys
from importlib import metadata

from ...pipeline.configuring import SettingsError
from ...pipeline.probes.cgroup import MemoryGroups
from ...pipeline.probes.cores import usable_cores
from ...pipeline.probes.nvml import NvmlProbe
from ...pipeline.probes.ram import host_limit
from ...pipeline.samples import Sample
from ...pipeline.sources import Sampler, default_probes
from ...pipeline.tier_file import TierError
from ...pipeline.tiers import HardwareTierDetector, effective_settings
from ...pipeline.words import gib
from ..extras import PURPOSES, brought, needed
from .doctor_findings import Findings


def software(found: Findings) -> None:
    """Versions, and which packages are missing."""
    found.tell("gearshift", _version("gearshift") or "not installed, run from its sources")
    found.tell("Python", f"{platform.python_version()} ({platform.python_implementation()})")
    found.tell("System", platform.platform())
    for package in needed():
        version = _version(package)
        found.tell(package, version or "missing")
        if version is None:
            found.break_(f"{package} is missing", f"pip install {package}")
    for extra, gives in PURPOSES.items():
        _extra(found, extra, gives)


def memory(found: Findings) -> None:
    """RAM and what limits it, swap, stalls and cores, as in a sample; the tier, and what its user has set."""
    host = host_limit()
    found.tell("RAM", f"{gib(host.total)}, {gib(host.total - host.used)} available")
    limits = MemoryGroups().limits()
    told = [f"{gib(limit.total)} ({gib(limit.used)} in use)" for limit in limits]
    found.tell("Control group limits", ", ".join(told) or "none")
    sampler = Sampler(default_probes())
    try:
        sampler.take()  # stalls are counted from one sample to the next
        _sampled(found, sampler.take())
    finally:
        sampler.close()
    found.tell("Cores", f"{usable_cores():g} usable")
    try:
        found.tell("Tier", HardwareTierDetector().detect().name)
        found.tell("Settings", _settings())
    except TierError as error:
        found.tell("Tier", "can't be told")
        found.break_(str(error), "correct that file, or unset GEARSHIFT_TIERS")
    except SettingsError as error:
        found.tell("Settings", "can't be told")
        found.break_(str(error), "correct it there; gearshift settings tells which count")


def gpus(found: Findings) -> None:
    """Accelerators as NVML tells of them."""
    probe = NvmlProbe()
    try:
        pools = probe.read().pools
    except Exception as error:  # noqa: BLE001 - whatever a driver raises is what a report is for
        found.tell("NVIDIA GPUs", f"can't be read: {error}")
        found.miss("readings of NVIDIA GPUs", "look at what nvidia-smi says")
        return
    finally:
        probe.close()
    told = [f"{name} {'unreadable' if p is None else gib(p.total)}" for name, p in pools.items()]
    found.tell("NVIDIA GPUs", ", ".join(told) or "none that NVML tells of")


def _sampled(found: Findings, sample: Sample) -> None:
    ram = sample.pools.get("ram")
    if ram is None:
        found.tell("RAM under its limit", "can't be read")
        found.break_("the memory in use can't be read", "see that /proc is mounted and may be read")
    else:
        found.tell("RAM under its limit", f"{gib(ram.used)} of {gib(ram.total)} in use ({ram.used / ram.total:.0%})")
    found.tell("Swap in use", "unknown" if sample.swap_used is None else gib(sample.swap_used))
    pressure = bool(sample.pressure)
    found.tell("Pressure stall information", "there" if pressure else "none in this kernel")
    if not pressure and sys.platform == "linux":
        found.miss(
            "pressure stall information, to see thrashing at once", "a kernel with CONFIG_PSI, booted with psi=1"
        )
    if sample.missing:
        found.tell("Probes that fail", ", ".join(sample.missing))


def _settings() -> str:
    values = effective_settings().values
    own = [name for name, value in values.items() if value.source.startswith(("file", "environment"))]
    return f"of this user: {', '.join(own)}" if own else "those of the tier"


def _extra(found: Findings, extra: str, gives: str) -> None:
    versions = {package: _version(package) for package in brought(extra)}
    if not versions:
        return  # this Python has all that it would bring
    found.tell(f"[{extra}]", ", ".join(f"{package} {version or 'missing'}" for package, version in versions.items()))
    missing = [package for package, version in versions.items() if version is None]
    if missing:
        found.miss(f"{' and '.join(missing)}, for {gives}", f"pip install 'gearshift[{extra}]'")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
