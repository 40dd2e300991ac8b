"""What `gearshift tiers` shows: the machine's tier among all of them, for people and for programs."""

import json

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...pipeline.tier_file import Tier
from ...pipeline.tiers import HardwareTierDetector


def show(detector: HardwareTierDetector) -> None:
    """Print the verdict and why, all tiers with the machine's marked, and where they are defined."""
    tier, console = detector.detect(), Console(highlight=False)
    console.print(Text(detector.explain()))
    console.print("", _table(detector.tiers, tier), "", sep="\n")
    console.print(Text(f"Preferred rungs: {', '.join(tier.preferred) or 'none'}"))
    console.print(Text(f"Tiers are from {detector.file}"), soft_wrap=True)


def as_json(detector: HardwareTierDetector) -> str:
    """One object. Memory in bytes, except where a key ends in `_gib`; fractions 0..1; seconds."""
    tier = detector.detect()
    found = {
        "tier": tier.name,
        "why": detector.explain(),
        "memory": detector.memory,
        "cores": detector.cores,
        "accelerators": detector.accelerators,
        "settings": detector.scaling_thresholds(),
        "preferred": detector.preferred_rungs(),
        "file": str(detector.file),
        "tiers": [{field: getattr(t, field) for field in Tier.__struct_fields__} for t in detector.tiers],
    }
    return json.dumps(found, indent=2)


def _table(tiers: tuple[Tier, ...], marked: Tier) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("  tier", no_wrap=True)
    for title in ("RAM", "cores", "or GPU", "high", "low", "critical", "every", "window"):
        table.add_column(title, justify="right", no_wrap=True)
    for tier in tiers:
        by = tier.min_accelerator_gib
        numbers = (
            f"{tier.min_memory_gib:g} GiB", f"{tier.min_cores:g}", f"{by:g} GiB" if by is not None else "",
            f"{tier.high:.0%}", f"{tier.high - tier.hysteresis:.0%}", f"{tier.critical:.0%}",
            f"{tier.interval:g} s", f"{tier.window:g} s",
        )  # fmt: skip
        here = tier is marked
        table.add_row(Text(f"{'>' if here else ' '} {tier.name}"), *numbers, style="bold" if here else "")
    return table
