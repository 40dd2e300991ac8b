"""Every error that pynvml can raise, at whatever it is asked for, through to what is decided: blind is never room."""

from pathlib import Path

import pytest
from gearshift.pipeline.testing.nvml import offered

from tests.pipeline.probes.nvml_codes import CODES, GONE, NO_DRIVER, NOT_OFFERED
from tests.pipeline.senses import ROOM, STABLE, STEP, Senses, comes_back, warnings

LISTS = [name for name in offered() if "RunningProcesses" in name]
BESIDE = [name for name in offered() if name.startswith("nvmlDeviceGet") and name.split("DeviceGet")[1].startswith(
    ("Utilization", "Temperature", "Power", "CurrentClocks", "TotalEcc")
) and "Instance" not in name]  # fmt: skip


@pytest.fixture
def senses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Senses:
    return Senses(tmp_path, monkeypatch)


START = {
    "the start": ["nvmlInit"],
    "the count": ["nvmlDeviceGetCount"],
    "the handle": ["nvmlDeviceGetHandleByIndex"],
    "the first reading": ["nvmlDeviceGetMemoryInfo"],
}


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("at", START)
def test_a_gpu_that_was_never_seen_is_no_room(
    at: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def before(senses: Senses) -> None:
        senses.use(*ROOM)
        for function in START[at]:
            senses.nvml.fail(function, CODES[code])

    senses = Senses(tmp_path, monkeypatch, before=before)
    senses.steps(1.5 * STABLE)
    assert senses.made == [] and senses.samples[-1].pools.get("cuda:0") is None
    for_good = code in NO_DRIVER and at in ("the start", "the count")
    for_good = for_good or (code in NOT_OFFERED and at == "the first reading")
    assert len(warnings(caplog)) == (not for_good)
    if not for_good:
        comes_back(senses)


@pytest.mark.parametrize("code", CODES)
def test_a_lost_gpu_that_can_not_be_found_again_is_no_room(
    code: str, senses: Senses, caplog: pytest.LogCaptureFixture
) -> None:
    senses.steps(20.0)
    senses.use(*ROOM)
    senses.nvml.fail("nvmlDeviceGetMemoryInfo", CODES["GPU_IS_LOST"], times=1)
    for function in ("nvmlInit", "nvmlDeviceGetHandleByIndex"):
        senses.nvml.fail(function, CODES[code])
        senses.steps(STABLE)
        assert senses.made == []
        senses.nvml.heal()
        senses.nvml.fail("nvmlDeviceGetHandleByIndex", CODES[code])
    assert len(warnings(caplog)) <= 2
    comes_back(senses)


@pytest.mark.parametrize("code", CODES)
def test_what_a_gpu_tells_beside_its_memory_is_no_matter_of_decisions(code: str, senses: Senses) -> None:
    senses.steps(20.0)
    for function in BESIDE:
        senses.nvml.fail(function, CODES[code])
    senses.use(*ROOM)
    senses.steps(1.5 * STABLE)
    known = senses.believes("cuda:0", 24)
    assert known == (code not in GONE) and len(senses.grown) == known


def test_a_driver_that_knows_only_the_first_memory_struct_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    senses = Senses(tmp_path, monkeypatch, before=lambda senses: setattr(senses.gpu, "memory_v2", False))
    senses.steps(20.0)
    comes_back(senses)


def test_ram_still_decides_without_the_gpu(senses: Senses) -> None:
    senses.steps(20.0)
    senses.nvml.fail("nvmlDeviceGetMemoryInfo", CODES["UNKNOWN"])
    senses.use(12, ROOM[1])
    senses.steps(20.0)
    assert [(d.kind, d.urgency) for d in senses.made] == [("shed", "immediate")]


@pytest.mark.parametrize("code", CODES)
def test_a_large_rung_is_not_left_because_nobody_tells_which_processes_are_ours(code: str, senses: Senses) -> None:
    senses.heal(ROOM)
    senses.steps(STABLE + 2 * STEP)
    senses.carry_out()
    senses.steps(20.0)
    for function in LISTS:
        senses.nvml.fail(function, CODES[code])
    senses.steps(60.0)
    assert [decision.target for decision in senses.made] == ["large"]
