"""Blind never means growth: one story for every fault of a sensor.

Memory is tight and a small rung runs. Then a sensor breaks, and all that can still be read, or what the broken one
claims, would let the large rung in. When it works again there is room, and the large one comes after the whole window.
"""

import math
from collections.abc import Callable
from pathlib import Path

import msgspec
import pynvml
import pytest
from gearshift.pipeline.testing import GIB

from tests.pipeline.senses import PID, ROOM, STABLE, STEP, TIGHT, Senses, comes_back, warnings

pytestmark = pytest.mark.filterwarnings("ignore:.*stats couldn't be determined:RuntimeWarning")  # as psutil tells it

Fault = Callable[[Senses], object]
CODES = {
    name.removeprefix("NVML_ERROR_"): getattr(pynvml, name) for name in dir(pynvml) if name.startswith("NVML_ERROR_")
}


def in_group(name: str, text: str, *, ram: int = ROOM[0]) -> Fault:
    """A file of the control group holds this; the group is as full as `ram` GiB."""

    def begin(senses: Senses) -> None:
        senses.use(ram, ROOM[1])
        (senses.group / name).write_text(text)

    return begin


def hidden(path: str) -> Fault:
    """The group is still tight, and a file by which that is known is gone."""

    def begin(senses: Senses) -> None:
        senses.use(TIGHT[0], ROOM[1])
        senses.vanish(senses.proc.parent / path)

    return begin


def meminfo(text: str) -> Fault:
    return lambda senses: (senses.proc / "meminfo").write_text(text)


def no_mount(senses: Senses) -> None:
    (senses.proc / "self/mountinfo").write_text("30 23 0:1 / /tmp rw - tmpfs tmpfs rw\n")
    senses.clock.now += 60 - STEP  # until the groups are looked up again


def a_folder_for(path: str) -> Fault:
    def begin(senses: Senses) -> None:
        senses.vanish(senses.proc.parent / path)
        (senses.proc.parent / path).mkdir()

    return begin


def after_stalls(begin: Fault) -> Fault:
    """Work stalls; then nothing tells of it any more."""

    def stalled(senses: Senses) -> None:
        senses.stall(60.0)
        senses.stalling = 0.0
        begin(senses)

    return stalled


def driver(**fields: float) -> Fault:
    return lambda senses: senses.driver_says(**fields)


def ours(held: int) -> Fault:
    return lambda senses: senses.gpu.compute.update({PID: held})


ALL, FREE = 24 * GIB, 22 * GIB
FAULTS: dict[str, Fault] = {
    "meminfo is empty": meminfo(""),
    "meminfo is garbage": meminfo("\x00\xff no memory\n"),
    "meminfo lacks the total": meminfo(f"MemFree: {60 << 20} kB\nMemAvailable: {60 << 20} kB\n"),
    "meminfo has words for numbers": meminfo("MemTotal: much kB\n"),
    "meminfo is below zero": meminfo("MemTotal: -64 kB\nMemFree: -4 kB\nMemAvailable: -4 kB\n"),
    "meminfo is beyond all machines": meminfo(f"MemTotal: {1 << 60} kB\nMemFree: 1 kB\nMemAvailable: {1 << 60} kB\n"),
    "meminfo is all zero": meminfo("MemTotal: 0 kB\nMemFree: 0 kB\nMemAvailable: 0 kB\n"),
    "meminfo is gone": lambda senses: senses.vanish(senses.proc / "meminfo"),
    "meminfo is a folder": a_folder_for("proc/meminfo"),
    "the limit is empty": in_group("memory.max", "", ram=TIGHT[0]),
    "the limit is garbage": in_group("memory.max", "12 GiB", ram=TIGHT[0]),
    "the limit is a folder": a_folder_for("sys/app/memory.max"),
    "the limit is NaN": in_group("memory.max", "nan", ram=TIGHT[0]),
    "the usage is empty": in_group("memory.current", ""),
    "the usage is garbage": in_group("memory.current", "\x00"),
    "the usage is below zero": in_group("memory.current", "-1"),
    "the usage is beyond all machines": in_group("memory.current", str(2**64 - 1)),
    "the usage is gone": hidden("sys/app/memory.current"),
    "the cache is garbage": in_group("memory.stat", "inactive_file lots\n"),
    "the group is not named": hidden("proc/self/cgroup"),
    "the group is not mounted": no_mount,
    "stalls are empty": after_stalls(in_group("memory.pressure", "")),
    "stalls are garbage": after_stalls(in_group("memory.pressure", "some total=few\n")),
    "stalls are gone": after_stalls(lambda senses: senses.vanish(senses.group / "memory.pressure")),
    "stalls are below zero": after_stalls(in_group("memory.pressure", "some total=-5\nfull total=-5\n")),
    "NVML tells a total of 0": driver(total=0, free=0, used=0),
    "NVML tells more used than there is": driver(total=ALL, free=-GIB, used=25 * GIB),
    "NVML tells more free than there is": driver(total=ALL, free=25 * GIB, used=-GIB),
    "NVML tells NaN": driver(total=math.nan, free=math.nan, used=math.nan),
    "NVML tells NaN free": driver(total=ALL, free=math.nan, used=math.nan),
    "NVML tells infinities": driver(total=math.inf, free=math.inf, used=0),
    "NVML tells 2 to the 63": driver(total=2**63, free=2**63 - 1, used=1),
    "NVML tells its word for unknown": driver(total=2**64 - 1, free=2**64 - 1, used=0),
    "NVML tells none": lambda senses: senses.driver_says(total=None, free=None, used=None),
    "NVML tells text": lambda senses: senses.driver_says(total=str(ALL), free=str(FREE), used="0"),
    "NVML lacks what is free": driver(total=ALL, used=0),
    "NVML lacks the total": driver(free=FREE, used=0),
    "NVML lists half a machine as ours": ours(2**63),
    "NVML breaks": lambda senses: senses.nvml.fail("nvmlDeviceGetMemoryInfo", OSError("bus")),
    **{f"NVML: {code}": lambda senses, code=code: senses.nvml.fail("nvmlDeviceGetMemoryInfo", CODES[code])
       for code in CODES},
}  # fmt: skip


@pytest.fixture
def senses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Senses:
    return Senses(tmp_path, monkeypatch)


def test_without_a_fault_the_large_rung_comes_after_the_window(senses: Senses) -> None:
    senses.steps(20.0)
    comes_back(senses)


@pytest.mark.parametrize("fault", FAULTS)
def test_blind_never_means_growth(fault: str, senses: Senses, caplog: pytest.LogCaptureFixture) -> None:
    senses.steps(20.0)
    assert senses.believes("ram", 12) and senses.believes("cuda:0", 24) and not senses.samples[-1].missing
    senses.use(*ROOM)
    FAULTS[fault](senses)
    assert not warnings(caplog)
    senses.steps(1.5 * STABLE)
    assert senses.made == []
    told = [message.split(":")[0] for message in warnings(caplog)]
    assert told and len(told) == len(set(told)), "each sensor is told of once"
    assert senses.samples[-1].missing
    for path in senses.proc.parent.rglob("*"):
        if path.is_dir() and path.name in ("meminfo", "memory.max"):
            path.rmdir()
    comes_back(senses)
    assert not senses.samples[-1].missing


@pytest.mark.parametrize("broken", ["stat", "vmstat"])
def test_cpu_and_swap_are_no_matter_of_growth(broken: str, senses: Senses, caplog: pytest.LogCaptureFixture) -> None:
    senses.steps(20.0)
    (senses.proc / broken).write_text("\x00")
    senses.use(*ROOM)
    senses.steps(STABLE + 2 * STEP)
    assert len(senses.grown) == 1 and len(warnings(caplog)) <= 1


def test_more_of_ours_than_is_in_use_is_a_contradiction_and_no_room(senses: Senses) -> None:
    senses.steps(20.0)
    senses.use(*ROOM)
    ours(8 * GIB)(senses)
    senses.steps(3 * STABLE)
    assert senses.made == []
    comes_back(senses)


def test_a_frozen_stamp_is_no_time_in_which_there_was_room(senses: Senses) -> None:
    senses.steps(20.0)
    senses.use(*ROOM)
    senses.step()
    for _ in range(round(3600 / STEP)):
        senses.give(senses.samples[-1])
    senses.clock.now += 3600
    assert senses.made == []
    comes_back(senses)


@pytest.mark.parametrize("stamp", [math.nan, math.inf, -math.inf])
def test_a_stamp_that_is_no_time_is_left_out(stamp: float, senses: Senses) -> None:
    senses.steps(20.0)
    senses.use(*ROOM)
    for _ in range(100):
        senses.clock.now += STEP
        senses.give(msgspec.structs.replace(senses.sampler.take(), time=stamp))
    assert senses.made == []
    comes_back(senses)


@pytest.mark.parametrize("silence", [100.0, 6249.0])
def test_after_a_silence_the_window_begins_anew(silence: float, senses: Senses) -> None:
    senses.steps(20.0)
    senses.use(*ROOM)
    senses.steps(STABLE - 2 * STEP)
    senses.clock.now += silence
    comes_back(senses)


def test_a_reading_that_is_frozen_is_believed_but_stalls_are_too(senses: Senses) -> None:
    """No reading tells that it is frozen: a calm machine looks the same. What people feel is told by another sensor."""
    senses.use(*ROOM)
    senses.stall(20 * STABLE, share=0.06)
    assert senses.made == []
    comes_back(senses)
