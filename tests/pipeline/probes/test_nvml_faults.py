"""Every error that pynvml can raise, from every call that NvmlProbe makes."""

import os

import pynvml
import pytest
from gearshift.pipeline import Device, Pool, Reading
from gearshift.pipeline.probes.nvml_faults import Code

from tests.pipeline.probes.gpus import FULL, GIB, WELL, Machine, torch_holding
from tests.pipeline.probes.nvml_codes import CODES, GONE, NO_DRIVER, NOT_OFFERED

BUSY = {
    "NO_PERMISSION", "INSUFFICIENT_SIZE", "INSUFFICIENT_POWER", "TIMEOUT", "IN_USE", "MEMORY", "NO_DATA",
    "INSUFFICIENT_RESOURCES", "NOT_READY",
}  # fmt: skip
REFUSED = {"NO_PERMISSION", "INVALID_ARGUMENT"}
MEMORY_LOST = CODES.keys() - NOT_OFFERED - BUSY

FIELDS = {
    "utilisation": ("nvmlDeviceGetUtilizationRates",),
    "temperature": ("nvmlDeviceGetTemperatureV", "nvmlDeviceGetTemperature"),
    "power": ("nvmlDeviceGetPowerUsage",),
    "throttled": ("nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"),
    "ecc_errors": ("nvmlDeviceGetTotalEccErrors",),
}
LISTS = tuple(f"nvmlDeviceGet{kind}RunningProcesses_v{v}" for kind in ("Compute", "Graphics") for v in (3, 2))

every_code = pytest.mark.parametrize("code", CODES)


@pytest.fixture(autouse=True)
def no_choice_of_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_codes_are_those_of_pynvml() -> None:
    assert {code.name: code.value for code in Code} == CODES


@every_code
def test_an_error_from_memory(code: str) -> None:
    machine = Machine()
    machine.fail(["nvmlDeviceGetMemoryInfo"], CODES[code])
    seen = machine.read()
    assert (seen.pools["cuda:1"], seen.devices["cuda:1"]) == (WELL, FULL)
    if code in NOT_OFFERED:
        assert seen.pools.keys() == {"cuda:1"}
        assert seen.devices["cuda:0"] == Device(0.5, 61.0, 123.456, None, ("sw_power_cap",), 2)
        assert seen.missing == ()
        return
    assert (seen.pools["cuda:0"], seen.missing) == (None, ("cuda:0",))
    machine.nvml.heal()
    if code in MEMORY_LOST:
        assert "cuda:0" not in seen.devices
        machine.comes_back(1.0)
    else:
        assert seen.devices["cuda:0"].power == 123.456
        assert machine.read().pools == {"cuda:0": WELL, "cuda:1": WELL}
        assert machine.nvml.calls["nvmlInit"] == 1


@every_code
def test_an_error_from_the_second_memory_struct_alone(code: str) -> None:
    machine = Machine()
    machine.nvml.fail("nvmlDeviceGetMemoryInfo", CODES[code], gpu=machine.ill, times=1)
    seen = machine.read()
    assert seen.pools == {"cuda:0": WELL if code in NOT_OFFERED else None, "cuda:1": WELL}


@every_code
@pytest.mark.parametrize("field", FIELDS)
def test_an_error_from_an_optional_field(field: str, code: str) -> None:
    machine = Machine()
    machine.fail(FIELDS[field], CODES[code])
    for _ in range(3):
        seen = machine.read()
        assert (seen.pools["cuda:1"], seen.devices["cuda:1"]) == (WELL, FULL)
        if code in GONE:
            assert (seen.pools["cuda:0"], seen.missing, seen.devices.keys()) == (None, ("cuda:0",), {"cuda:1"})
        else:
            assert (seen.pools["cuda:0"], seen.missing) == (WELL, ())
            expected = {name: getattr(FULL, name) for name in FULL.__struct_fields__}
            assert seen.devices["cuda:0"] == Device(**{**expected, field: () if field == "throttled" else None})
    asked = sum(machine.nvml.calls[function] for function in FIELDS[field]) - 3
    if code in GONE:
        machine.nvml.heal()
        machine.comes_back(1.0)
    else:
        assert asked == (len(FIELDS[field]) if code in NOT_OFFERED | REFUSED else 3)
        assert machine.nvml.calls["nvmlInit"] == 1


@every_code
@pytest.mark.parametrize("field", ["temperature", "throttled"])
def test_an_older_function_answers_where_the_newer_is_not_offered(field: str, code: str) -> None:
    machine = Machine()
    machine.fail(FIELDS[field][:1], CODES[code])
    device = machine.read().devices.get("cuda:0")
    assert (device == FULL) == (code in NOT_OFFERED | REFUSED)


@every_code
def test_an_error_from_the_lists_of_processes(code: str) -> None:
    machine = Machine()
    machine.fail(LISTS, CODES[code])
    seen = machine.read()
    assert seen.pools == {"cuda:0": None if code in GONE else Pool(24 * GIB, 9 * GIB), "cuda:1": WELL}
    machine.nvml.heal()
    if code in GONE:
        machine.comes_back(1.0)


@every_code
def test_torch_says_what_is_ours_where_the_lists_fail(code: str) -> None:
    machine = Machine(started=False)
    machine.fail(LISTS, CODES[code])
    pids = (os.getpid(),)
    machine.start(pids=pids, torch=torch_holding(2 * GIB, 0))
    pool = machine.read().pools["cuda:0"]
    assert pool == (None if code in GONE else Pool(24 * GIB, 9 * GIB, 2 * GIB))


@every_code
def test_an_error_from_the_first_start(code: str) -> None:
    machine = Machine(started=False)
    machine.nvml.fail("nvmlInit", CODES[code], times=1)
    machine.start()
    if code in NO_DRIVER:
        machine.clock.now += 1e6
        assert machine.read() == Reading()
        assert machine.nvml.calls["nvmlInit"] == 1
        return
    assert machine.read() == Reading(missing=("nvml",))
    machine.clock.now += 0.999
    assert machine.read() == Reading(missing=("nvml",))
    machine.clock.now += 0.001
    assert machine.read().pools == {"cuda:0": WELL, "cuda:1": WELL}
    assert machine.nvml.calls["nvmlInit"] == 2


@every_code
@pytest.mark.parametrize("function", ["nvmlInit", "nvmlDeviceGetCount"])
def test_an_error_from_a_later_start_leaves_all_unknown_until_one_works(function: str, code: str) -> None:
    machine = Machine()
    machine.read()
    machine.nvml.fail("nvmlDeviceGetMemoryInfo", machine.nvml.NVML_ERROR_GPU_IS_LOST, gpu=machine.ill, times=1)
    machine.read()
    machine.nvml.fail(function, CODES[code], times=2)
    for wait in (1, 2):
        machine.clock.now += wait
        assert machine.read() == Reading({"cuda:0": None, "cuda:1": None}, missing=("cuda:0", "cuda:1"))
    machine.comes_back(4.0)


@every_code
@pytest.mark.parametrize("function", ["nvmlDeviceGetHandleByIndex", "nvmlDeviceGetUUID", "nvmlDeviceGetMigMode"])
def test_an_error_while_a_device_is_looked_up_at_the_first_start(function: str, code: str) -> None:
    machine = Machine(started=False)
    machine.fail([function], CODES[code])
    machine.start()
    seen = machine.read()
    assert seen.pools["cuda:1"] == WELL
    lost = function.endswith("ByIndex") or code in GONE
    assert (seen.pools["cuda:0"], seen.missing) == ((None, ("cuda:0",)) if lost else (WELL, ()))
    machine.nvml.heal()
    if lost:
        machine.comes_back(1.0)


@every_code
def test_an_error_while_a_device_is_looked_up_again(code: str) -> None:
    machine = Machine()
    machine.nvml.fail("nvmlDeviceGetMemoryInfo", machine.nvml.NVML_ERROR_UNKNOWN, gpu=machine.ill, times=1)
    machine.read()
    machine.fail(["nvmlDeviceGetHandleByIndex"], CODES[code])
    machine.clock.now += 1
    assert machine.read().pools == {"cuda:0": None, "cuda:1": WELL}
    machine.nvml.heal()
    machine.comes_back(2.0)


@every_code
def test_an_error_from_shutting_down_is_no_hindrance(code: str) -> None:
    machine = Machine()
    machine.nvml.fail("nvmlDeviceGetMemoryInfo", machine.nvml.NVML_ERROR_UNKNOWN, gpu=machine.ill, times=1)
    machine.nvml.fail("nvmlShutdown", CODES[code], times=1)
    machine.read()
    machine.clock.now += 1
    assert machine.read().pools == {"cuda:0": WELL, "cuda:1": WELL}


@pytest.mark.parametrize(
    "error", [OSError("bus"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), pynvml.NVMLLibraryMismatchError("old")]
)
@pytest.mark.parametrize("function", ["nvmlDeviceGetMemoryInfo", "nvmlDeviceGetHandleByIndex", *LISTS, "nvmlInit"])
def test_an_error_that_is_none_of_nvml_hides_no_other_device(function: str, error: Exception) -> None:
    machine = Machine(started=False)
    machine.nvml.fail(function, error, gpu=None if function == "nvmlInit" else machine.ill)
    machine.start()
    seen = machine.read()
    assert seen.pools.get("cuda:1") == (None if function == "nvmlInit" else WELL)
    if function not in LISTS:
        assert seen.pools.get("cuda:0") is None and seen.missing


def test_a_code_that_does_not_exist_yet_is_no_number() -> None:
    machine = Machine()
    machine.nvml.fail("nvmlDeviceGetMemoryInfo", pynvml.NVMLError(777), gpu=machine.ill)
    machine.nvml.fail("nvmlDeviceGetPowerUsage", pynvml.NVMLError(778), gpu=machine.nvml.gpus[1])
    seen = machine.read()
    assert seen.pools == {"cuda:0": None, "cuda:1": WELL}
    assert seen.devices["cuda:1"].power is None
