"""The files that importers are tested on, and what each needs to be told."""

from pathlib import Path
from typing import Any

from gearshift.pipeline import Pool
from gearshift.pipeline.importers import Imported, import_samples

FOLDER = Path(__file__).parents[2] / "recordings" / "imported"
KIB, MIB, GIB = 2**10, 2**20, 2**30
RAM = 16303104 * KIB

FILES: dict[str, tuple[dict[str, Any], int]] = {
    "nvidia_smi/header_and_units.csv": ({"totals": {"cuda:0": 12288 * MIB}}, 3),
    "nvidia_smi/units_without_header.csv": ({}, 4),
    "nvidia_smi/interleaved_without_index.csv": (
        {
            "columns": ["timestamp", "utilization.gpu", "memory.used"],
            "totals": {f"cuda:{gpu}": 24564 * MIB for gpu in range(3)},
        },
        4,
    ),
    "nvidia_smi/indexed_with_reserve.csv": ({}, 2),
    "nvidia_smi/unified_memory.csv": ({}, 2),
    "nvidia_smi/no_units_and_jitter.csv": ({}, 4),
    "nvidia_smi/stamped_by_a_shell.csv": (
        {"columns": ["index", "temperature.gpu", "utilization.gpu", "power.draw"]},
        3,
    ),
    "nvidia_smi/stamped_loop_of_two.csv": ({"columns": ["index", "memory.used", "memory.total"]}, 2),
    "nvidia_smi/every_100_ms.csv": ({}, 3),
    "nvidia_smi/missing_readings.csv": ({}, 3),
    "nvidia_smi/header_at_every_turn.csv": ({"interval": 2.0}, 2),
    "dmon/plain.txt": ({"interval": 1.0, "totals": {"cuda:0": 8 * GIB, "cuda:1": 8 * GIB}}, 3),
    "dmon/over_midnight.txt": ({"totals": {"cuda:0": 8 * GIB}}, 3),
    "dmon/date_and_time.txt": ({}, 2),
    "sadf/many.json": ({}, 3),
    "sadf/memory_all.json": ({}, 2),
    "sadf/sections.csv": ({}, 3),
    "sadf/one_line_each_epoch.csv": ({}, 2),
    "sadf/sysstat_10.csv": ({}, 2),
    "vmstat/t.txt": ({"totals": {"ram": RAM}}, 4),
    "vmstat/t_w.txt": ({"totals": {"ram": RAM}}, 2),
    "vmstat/t_a.txt": ({"totals": {"ram": RAM}}, 1),
    "vmstat/S_M.txt": ({"totals": {"ram": RAM}, "unit": "MiB", "interval": 5}, 2),
    "psrecord/plain.log": ({"totals": {"ram": 2 * GIB}}, 3),
    "psrecord/with_io.log": ({"totals": {"ram": 2 * GIB}}, 2),
    "psrecord/table.csv": ({"totals": {"ram": 2 * GIB}}, 2),
    "free/b.txt": ({"interval": 2.0}, 2),
    "free/w_m.txt": ({"interval": 2.0}, 2),
    "free/k_lohi_total.txt": ({"interval": 2.0}, 1),
    "free/h.txt": ({"interval": 2.0}, 1),
    "free/old.txt": ({"interval": 2.0}, 1),
    "prometheus/node.json": ({}, 3),
    "prometheus/dcgm_pretty.json": ({}, 2),
    "prometheus/two_machines.json": ({"instance": "b"}, 2),
    "table/mib.csv": ({}, 3),
    "table/relative.csv": ({}, 2),
    "table/gpus.csv": ({}, 2),
    "table/glances.csv": ({}, 2),
    "table/own_names.csv": (
        {
            "columns": {"time": "when", "cuda:0.used": "card memory (MB)"},
            "unit": "MiB",
            "totals": {"cuda:0": 8 * GIB},
        },
        2,
    ),
}
"""File → what to tell `import_samples`, and how many samples there are."""


def load(name: str, **more: Any) -> Imported:
    """A file of FILES with what it needs."""
    return import_samples(FOLDER / name, **{**FILES[name][0], **more})


def pools(name: str, pool: str = "ram", **more: Any) -> list[Pool | None]:
    """One pool of all samples of a file."""
    return [sample.pools[pool] for sample in load(name, **more).samples]


def used(name: str, pool: str = "ram", unit: int = MIB, **more: Any) -> list[float | None]:
    """What is used of a pool, in MiB."""
    return [None if found is None else found.used / unit for found in pools(name, pool, **more)]
