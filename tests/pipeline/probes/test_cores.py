import os
import subprocess
import sys
from pathlib import Path

import pytest
from gearshift.pipeline.probes.cores import cpu_quotas, usable_cores


def group(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text + "\n")


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "proc/self").mkdir(parents=True)
    return tmp_path / "proc"


def in_groups(proc: Path, *lines: str) -> None:
    (proc / "self/cgroup").write_text("\n".join(lines) + "\n")


def test_version_2_takes_every_quota_up_to_the_root(tmp_path: Path, proc: Path) -> None:
    in_groups(proc, "0::/user/app")
    group(tmp_path / "sys", cpu__max="400000 100000")
    group(tmp_path / "sys/user", cpu__max="150000 100000")
    group(tmp_path / "sys/user/app", cpu__max="max 100000")
    assert cpu_quotas(proc, tmp_path / "sys") == [1.5, 4.0]


@pytest.mark.parametrize("mount", ["cpu", "cpu,cpuacct"])
def test_version_1_takes_every_quota_up_to_the_root(tmp_path: Path, proc: Path, mount: str) -> None:
    in_groups(proc, "5:cpu,cpuacct:/docker/app", "4:memory:/elsewhere", "3:cpuset:/elsewhere", "0::/")
    top = tmp_path / "sys" / mount
    group(top, cpu__cfs_quota_us="200000", cpu__cfs_period_us="100000")
    group(top / "docker", cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    group(top / "docker/app", cpu__cfs_quota_us="25000", cpu__cfs_period_us="50000")
    group(tmp_path / "sys/cpuset/elsewhere", cpu__cfs_quota_us="1000", cpu__cfs_period_us="100000")
    assert cpu_quotas(proc, tmp_path / "sys") == [0.5, 2.0]


def test_version_2_beside_version_1_is_read_where_it_is_mounted(tmp_path: Path, proc: Path) -> None:
    in_groups(proc, "1:name=systemd:/", "0::/app")
    group(tmp_path / "sys/unified/app", cpu__max="50000 100000")
    assert cpu_quotas(proc, tmp_path / "sys") == [0.5]


def test_a_container_that_sees_only_its_own_group_reads_it_at_the_mount(tmp_path: Path, proc: Path) -> None:
    in_groups(proc, "5:cpu:/docker/1f2e3d")
    group(tmp_path / "sys/cpu", cpu__cfs_quota_us="150000", cpu__cfs_period_us="100000")
    assert cpu_quotas(proc, tmp_path / "sys") == [1.5]


@pytest.mark.parametrize("text", ["", "max", "100000", "0 100000", "100000 0", "many 100000"])
def test_a_file_that_holds_no_quota_is_no_limit(tmp_path: Path, proc: Path, text: str) -> None:
    in_groups(proc, "0::/")
    group(tmp_path / "sys", cpu__max=text)
    assert cpu_quotas(proc, tmp_path / "sys") == []


def test_without_control_groups_the_affinity_counts(tmp_path: Path) -> None:
    assert cpu_quotas(tmp_path, tmp_path) == []
    assert usable_cores(tmp_path, tmp_path) == len(os.sched_getaffinity(0))


def test_the_least_of_affinity_and_quotas_is_usable(tmp_path: Path, proc: Path) -> None:
    in_groups(proc, "0::/app")
    group(tmp_path / "sys", cpu__max="100000000 1000")
    assert usable_cores(proc, tmp_path / "sys") == len(os.sched_getaffinity(0))
    group(tmp_path / "sys/app", cpu__max="25000 100000")
    assert usable_cores(proc, tmp_path / "sys") == 0.25


def run(code: str, *args: Path) -> str:
    done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_process_bound_to_one_core_has_one(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from gearshift.pipeline.probes.cores import usable_cores\n"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); p = Path(sys.argv[1]); print(usable_cores(p, p))"
    )
    assert run(code, tmp_path) == "1.0"


def test_a_system_without_affinity_counts_its_cores(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from gearshift.pipeline.probes.cores import usable_cores\n"
        "del os.sched_getaffinity; p = Path(sys.argv[1]); print(usable_cores(p, p))"
    )
    assert run(code, tmp_path) == str(float(os.cpu_count() or 1))


def test_this_machine_has_cores_to_use() -> None:
    assert 0 < usable_cores() <= (os.cpu_count() or 1)
