import os
from pathlib import Path

import psutil
import pytest
from gearshift.pipeline.probes.cgroup import Limit, cgroup_limits
from gearshift.pipeline.probes.load import CpuProbe, PressureProbe, SwapProbe
from gearshift.pipeline.probes.nvml import NvmlProbe
from gearshift.pipeline.probes.ram import Own, RamProbe, tree_rss


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_version_2_takes_every_limit_up_to_the_root(tmp_path: Path) -> None:
    write(tmp_path / "proc/self", cgroup="0::/user/app\n")
    write(
        tmp_path / "sys/user",
        memory__max="5000\n",
        memory__current="3000\n",
        memory__stat="inactive_file 1000\nanon 5\n",
    )
    write(tmp_path / "sys/user/app", memory__max="max\n", memory__current="2000\n")
    assert cgroup_limits(tmp_path / "proc", tmp_path / "sys") == [Limit(5000, 2000, 1000)]


def test_version_1_takes_off_the_cache_of_the_whole_group(tmp_path: Path) -> None:
    write(tmp_path / "proc/self", cgroup="5:cpu,cpuacct:/\n4:memory:/job\n0::/\n")
    group = tmp_path / "sys/memory/job"
    write(
        group,
        memory__limit_in_bytes="9000\n",
        memory__usage_in_bytes="4000\n",
        memory__stat="total_inactive_file 500\n",
    )
    write(group.parent, memory__limit_in_bytes=f"{2**63 - 4096}\n", memory__usage_in_bytes="99999\n")
    assert cgroup_limits(tmp_path / "proc", tmp_path / "sys") == [Limit(9000, 3500, 500)]


def test_no_cgroup_means_no_limit(tmp_path: Path) -> None:
    assert cgroup_limits(tmp_path, tmp_path) == []


def test_ram_agrees_with_psutil_on_this_machine() -> None:
    pool = RamProbe().read().pools["ram"]
    assert pool is not None
    assert pool.total <= psutil.virtual_memory().total
    assert 0 < pool.used <= pool.total and pool.own == 0


def test_resident_mapped_weights_count_as_used() -> None:
    plain = RamProbe().read().pools["ram"]
    mapped = RamProbe(own=lambda: Own(1 << 30, 1 << 30)).read().pools["ram"]
    assert plain is not None and mapped is not None
    assert mapped.used - plain.used == pytest.approx(1 << 30, rel=0.2)
    assert mapped.own == 1 << 30


def test_a_budget_counts_this_process_and_its_children() -> None:
    rss = tree_rss(psutil.Process())
    pool = RamProbe(budget=2 * rss).read().pools["ram"]
    assert pool is not None
    assert pool.total == 2 * rss
    assert pool.used == pytest.approx(rss, rel=0.2)


def test_nvml_is_quiet_where_there_is_no_driver() -> None:
    probe = NvmlProbe()
    assert (probe.read().pools == {}) == (probe.pools == ())


def test_pressure_is_the_growth_of_the_totals(tmp_path: Path) -> None:
    file = tmp_path / "memory"
    line = "{} avg10=0.00 avg60=0.00 avg300=0.00 total={}\n"
    file.write_text(line.format("some", 1000) + line.format("full", 0))
    probe = PressureProbe(file)
    assert probe.read().pressure == {}
    file.write_text(line.format("some", 10**12) + line.format("full", 0))
    seen = probe.read().pressure["memory"]
    assert (seen.some, seen.full) == (1.0, 0.0)


def test_a_kernel_without_pressure_information_reads_as_none(tmp_path: Path) -> None:
    assert PressureProbe(tmp_path / "absent").read().pressure == {}


def test_cpu_and_swap_are_in_their_units() -> None:
    probe = CpuProbe()
    assert probe.read().cpu is None
    sum(range(200_000))
    busy = probe.read().cpu
    assert busy is not None and 0 <= busy <= 1
    swap = SwapProbe().read().swap_used
    assert swap is not None and swap >= 0
    assert os.cpu_count()
