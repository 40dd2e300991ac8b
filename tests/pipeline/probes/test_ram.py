from pathlib import Path

import psutil
import pytest
from gearshift.pipeline.probes.cgroup import MemoryGroups
from gearshift.pipeline.probes.processes import ProcessTree
from gearshift.pipeline.probes.ram import Own, RamProbe

from tests.pipeline.probes.folders import write


def test_agrees_with_psutil_on_this_machine() -> None:
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


def test_the_limit_that_leaves_least_is_the_pool(tmp_path: Path) -> None:
    write(tmp_path / "proc/self", cgroup="0::/app/worker\n")
    write(tmp_path / "sys/app", memory__max="5000\n", memory__current="1000\n")
    write(tmp_path / "sys/app/worker", memory__max="6000\n", memory__current="5000\n")
    pool = RamProbe(groups=MemoryGroups(tmp_path / "proc", tmp_path / "sys")).read().pools["ram"]
    assert pool is not None and (pool.total, pool.used) == (6000, 5000)


def test_mapped_weights_count_in_a_group_no_more_than_its_cache(tmp_path: Path) -> None:
    write(tmp_path / "proc/self", cgroup="0::/app\n")
    write(
        tmp_path / "sys/app", memory__max="5000\n", memory__current="3000\n", memory__stat="anon 5\ninactive_file 600\n"
    )
    groups = MemoryGroups(tmp_path / "proc", tmp_path / "sys")
    pool = RamProbe(groups=groups, own=lambda: Own(2000, 900)).read().pools["ram"]
    assert pool is not None and (pool.used, pool.own) == (3000, 2000)


def test_a_budget_counts_this_process_and_its_children() -> None:
    held = ProcessTree().used()
    pool = RamProbe(budget=2 * held).read().pools["ram"]
    assert pool is not None
    assert pool.total == 2 * held
    assert pool.used == pytest.approx(held, rel=0.2)
