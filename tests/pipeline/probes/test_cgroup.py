import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from gearshift.pipeline.probes.cgroup import Limit, MemoryGroups, groups

from tests.pipeline.probes.folders import mounts, write

NO_LIMIT = f"{2**63 - 4096}\n"


def limits(tmp_path: Path) -> list[Limit]:
    return MemoryGroups(tmp_path / "proc", tmp_path / "sys").limits()


def test_version_2_takes_every_limit_up_to_the_root(tmp_path: Path) -> None:
    write(tmp_path / "proc/self", cgroup="0::/user/app\n")
    stat = "inactive_file 1000\nanon 5\n"
    write(tmp_path / "sys/user", memory__max="5000\n", memory__current="3000\n", memory__stat=stat)
    write(tmp_path / "sys/user/app", memory__max="max\n", memory__current="2000\n")
    assert limits(tmp_path) == [Limit(5000, 2000, 1000)]


def test_file_cache_can_be_had_back_whether_it_was_used_of_late_or_not(tmp_path: Path) -> None:
    write(tmp_path / "proc/self", cgroup="0::/app\n")
    stat = "anon 5\nfile 1500\ninactive_file 300\nactive_file 1200\nworkingset_refault_file 9\n"
    write(tmp_path / "sys/app", memory__max="5000\n", memory__current="3000\n", memory__stat=stat)
    assert limits(tmp_path) == [Limit(5000, 1500, 1500)]


def test_version_2_counts_where_the_kernel_begins_to_stall_a_group(tmp_path: Path) -> None:
    write(tmp_path / "proc/self", cgroup="0::/app\n")
    write(tmp_path / "sys/app", memory__max="5000\n", memory__high="4000\n", memory__current="3000\n")
    assert limits(tmp_path) == [Limit(4000, 3000, 0)]
    write(tmp_path / "sys/app", memory__high="max\n")
    assert limits(tmp_path) == [Limit(5000, 3000, 0)]


def test_version_1_takes_off_the_cache_of_the_whole_group(tmp_path: Path) -> None:
    write(tmp_path / "proc/self", cgroup="5:cpu,cpuacct:/\n4:memory:/job\n0::/\n")
    group = tmp_path / "sys/memory/job"
    stat = "inactive_file 7\nactive_file 3\ntotal_inactive_file 300\ntotal_active_file 200\n"
    write(group, memory__limit_in_bytes="9000\n", memory__usage_in_bytes="4000\n", memory__stat=stat)
    write(group.parent, memory__limit_in_bytes=NO_LIMIT, memory__usage_in_bytes="99999\n")
    assert limits(tmp_path) == [Limit(9000, 3500, 500)]


def test_a_changed_limit_is_seen_at_the_next_reading(tmp_path: Path) -> None:
    write(tmp_path / "proc/self", cgroup="0::/app\n")
    write(tmp_path / "sys/app", memory__max="5000\n", memory__current="3000\n")
    memory = MemoryGroups(tmp_path / "proc", tmp_path / "sys")
    assert memory.limits() == [Limit(5000, 3000, 0)]
    write(tmp_path / "sys/app", memory__max="6000\n", memory__current="3500\n")
    assert memory.limits() == [Limit(6000, 3500, 0)]


def test_hierarchies_are_found_where_they_are_mounted(tmp_path: Path) -> None:
    write(tmp_path / "proc/self", cgroup="4:memory:/job\n0::/app\n")
    v1, v2 = tmp_path / "old memory", tmp_path / "unified"
    mounts(tmp_path / "proc", ("/", v1, "cgroup", "rw,memory"), ("/", v2, "cgroup2", "rw"), ("/", v1, "tmpfs", "rw"))
    write(v1 / "job", memory__limit_in_bytes="9000\n", memory__usage_in_bytes="4000\n")
    write(v2 / "app", memory__max="5000\n", memory__current="3000\n")
    assert limits(tmp_path) == [Limit(9000, 4000, 0), Limit(5000, 3000, 0)]


@pytest.mark.parametrize(
    ("path", "root"),
    [("/docker/3f", "/docker/3f"), ("/", "/"), ("/docker/3f", "/"), ("/../..", "/docker/3f"), ("/a", "/docker/3f")],
)
def test_a_container_sees_the_limit_of_what_is_mounted(tmp_path: Path, path: str, root: str) -> None:
    write(tmp_path / "proc/self", cgroup=f"4:memory:{path}\n")
    mounts(tmp_path / "proc", (root, tmp_path / "sys/memory", "cgroup", "rw,memory"))
    write(tmp_path / "sys/memory", memory__limit_in_bytes="9000\n", memory__usage_in_bytes="4000\n")
    assert limits(tmp_path) == [Limit(9000, 4000, 0)]


def test_somebody_elses_mount_is_not_ours(tmp_path: Path) -> None:
    write(tmp_path / "proc/self", cgroup="0::/a\n")
    ours, other = tmp_path / "sys", tmp_path / "bind"
    mounts(tmp_path / "proc", ("/", ours, "cgroup2", "rw"), ("/docker-x", other, "cgroup2", "rw"))
    write(ours / "a", memory__max="5000\n", memory__current="3000\n")
    write(other, memory__max="50\n", memory__current="49\n")
    assert limits(tmp_path) == [Limit(5000, 3000, 0)]


def test_odd_lines_of_the_kernel_are_survived(tmp_path: Path) -> None:
    write(tmp_path / "proc/self", cgroup="\n0::/app\nno colons\n")
    point = str(tmp_path / "sys").encode()
    lines = [
        b"1 2 0:1 / /media/M\xfcll rw - ext4 /dev/sda rw",
        b"garbage",
        b"2 2 0:1 / /a\xe2\x80\xa8b rw - tmpfs x rw",
        b"",
        b"3 2 0:2 / " + point + b" rw shared:1 master:2 - cgroup2 cgroup2 rw",
    ]
    (tmp_path / "proc/self/mountinfo").write_bytes(b"\n".join(lines) + b"\n")
    write(tmp_path / "sys/app", memory__max="5000\n", memory__current="3000\n")
    assert limits(tmp_path) == [Limit(5000, 3000, 0)]


def test_a_process_that_is_moved_is_under_its_new_groups(tmp_path: Path) -> None:
    now = [0.0]
    write(tmp_path / "proc/self", cgroup="0::/a\n")
    for name, limit in (("a", 5000), ("b", 7000)):
        write(tmp_path / "sys" / name, memory__max=f"{limit}\n", memory__current="3000\n")
    memory = MemoryGroups(tmp_path / "proc", tmp_path / "sys", clock=lambda: now[0])
    assert memory.limits() == [Limit(5000, 3000, 0)]
    write(tmp_path / "proc/self", cgroup="0::/b\n")
    now[0] = 60.0
    assert memory.limits() == [Limit(7000, 3000, 0)]


def test_groups_run_from_the_innermost_to_the_root_of_the_mount(tmp_path: Path) -> None:
    write(tmp_path / "proc/self", cgroup="0::/slice/app/worker\n")
    mounts(tmp_path / "proc", ("/slice", tmp_path / "sys", "cgroup2", "rw"))
    found = groups("memory", proc=tmp_path / "proc", sys=tmp_path / "ignored")
    assert [group.folder for group in found] == [tmp_path / "sys/app/worker", tmp_path / "sys/app", tmp_path / "sys"]


def test_no_cgroup_means_no_limit(tmp_path: Path) -> None:
    assert limits(tmp_path) == []


CHILD = """
import json, sys
sys.stdin.read()
from gearshift.pipeline.probes.ram import RamProbe
held = bytearray(64 << 20)
held[::4096] = b"x" * len(held[::4096])
pool = RamProbe().read().pools["ram"]
print(json.dumps([pool.total, pool.used]))
"""


@pytest.fixture
def real_group():
    own = next((g for g in groups("memory") if (g.folder / "cgroup.procs").exists()), None)
    if own is None:
        pytest.skip("no memory controller here")
    folder = own.folder / f"gearshift-test-{os.getpid()}"
    limit = folder / ("memory.limit_in_bytes" if own.version == 1 else "memory.max")
    try:
        folder.mkdir()
        limit.write_text(str(512 << 20))
    except OSError as error:
        folder.rmdir() if folder.exists() else None
        pytest.skip(f"no control group can be made here: {error}")
    yield folder
    folder.rmdir()


def test_a_real_limit_is_the_pool_of_a_process_under_it(real_group: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    (real_group / "cgroup.procs").write_text(str(child.pid))
    out, _ = child.communicate("go", timeout=60)
    total, used = json.loads(out)
    assert total == 512 << 20
    assert 64 << 20 < used < 256 << 20
