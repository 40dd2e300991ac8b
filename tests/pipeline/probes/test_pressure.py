from pathlib import Path

import pytest
from gearshift.pipeline import Pressure
from gearshift.pipeline.probes.pressure import PressureProbe

from tests.pipeline.probes.clock import Clock
from tests.pipeline.probes.folders import mounts, write

LINE = "{} avg10=0.00 avg60=0.00 avg300=0.00 total={}\n"


def stalls(some: int, full: int) -> str:
    return LINE.format("some", some) + LINE.format("full", full)


def test_is_the_growth_of_the_totals_over_the_time_that_passed(tmp_path: Path) -> None:
    clock = Clock()
    write(tmp_path / "pressure", memory=stalls(1000, 0), io=stalls(0, 0), cpu=LINE.format("some", 7))
    probe = PressureProbe(proc=tmp_path, clock=clock)
    assert probe.read().pressure == {}
    clock.now += 2
    write(tmp_path / "pressure", memory=stalls(501_000, 100_000), io=stalls(9_000_000, 0), cpu=LINE.format("some", 7))
    assert probe.read().pressure == {
        "memory": Pressure(0.25, 0.05),
        "io": Pressure(1.0, 0.0),
        "cpu": Pressure(0.0, 0.0),
    }


def test_is_that_of_the_own_group_where_one_limits_memory(tmp_path: Path) -> None:
    clock = Clock()
    mounts(tmp_path / "proc", ("/", tmp_path / "sys", "cgroup2", "rw"))
    write(tmp_path / "proc/self", cgroup="0::/app/worker\n")
    write(tmp_path / "proc/pressure", memory=stalls(0, 0))
    write(tmp_path / "sys/app", memory__max="5000\n", memory__current="1000\n")
    group = tmp_path / "sys/app/worker"
    write(group, memory__max="max\n", memory__pressure=stalls(0, 0))
    probe = PressureProbe(proc=tmp_path / "proc", sys=tmp_path / "sys", clock=clock)
    probe.read()
    clock.now += 1
    write(group, memory__pressure=stalls(500_000, 0))
    assert probe.read().pressure == {"memory": Pressure(0.5, 0.0)}


def test_is_that_of_the_system_where_no_group_limits_memory(tmp_path: Path) -> None:
    clock = Clock()
    mounts(tmp_path / "proc", ("/", tmp_path / "sys", "cgroup2", "rw"))
    write(tmp_path / "proc/self", cgroup="0::/app\n")
    write(tmp_path / "proc/pressure", memory=stalls(0, 0))
    write(tmp_path / "sys/app", memory__max="max\n", memory__current="1\n", memory__pressure=stalls(0, 0))
    probe = PressureProbe(proc=tmp_path / "proc", sys=tmp_path / "sys", clock=clock)
    probe.read()
    clock.now += 1
    write(tmp_path / "proc/pressure", memory=stalls(250_000, 0))
    assert probe.read().pressure == {"memory": Pressure(0.25, 0.0)}


def test_a_kernel_without_pressure_information_reads_as_none(tmp_path: Path) -> None:
    assert PressureProbe(proc=tmp_path).read().pressure == {}


def test_this_machine_tells_within_its_range() -> None:
    if not Path("/proc/pressure/memory").exists():
        pytest.skip("this kernel has no pressure information")
    probe = PressureProbe()
    probe.read()
    seen = probe.read().pressure
    assert set(seen) == {"memory", "cpu", "io"}
    assert all(0 <= p.full <= 1 and 0 <= p.some <= 1 for p in seen.values())
