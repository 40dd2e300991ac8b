"""The scripted NVML can't drift from the real pynvml."""

import inspect

import pynvml
import pytest
from gearshift.pipeline.testing import ScriptedGpu, ScriptedNvml
from gearshift.pipeline.testing.nvml import offered

every_function = pytest.mark.parametrize("function", offered())


@pytest.fixture
def nvml() -> ScriptedNvml:
    scripted = ScriptedNvml(ScriptedGpu("GPU-a", total=100, used=30, reserved=5, compute={7: 3}))
    scripted.nvmlInit()
    return scripted


@every_function
def test_a_function_has_the_signature_of_the_real_one(nvml: ScriptedNvml, function: str) -> None:
    def parameters(module: object) -> list[tuple[str, object]]:
        signature = inspect.signature(getattr(module, function))
        return [(parameter.name, parameter.default) for parameter in signature.parameters.values()]

    assert parameters(nvml) == parameters(pynvml)


@pytest.mark.parametrize("function", [name for name in offered() if name != "nvmlInit"])
def test_nothing_is_answered_before_the_start_and_after_the_end(function: str) -> None:
    scripted = ScriptedNvml(ScriptedGpu("GPU-a"))
    count = len(inspect.signature(getattr(scripted, function)).parameters)
    with pytest.raises(pynvml.NVMLError_Uninitialized):
        getattr(scripted, function)(*range(count))
    scripted.nvmlInit()
    scripted.nvmlShutdown()
    with pytest.raises(pynvml.NVMLError_Uninitialized):
        getattr(scripted, function)(*range(count))


def test_users_are_counted(nvml: ScriptedNvml) -> None:
    nvml.nvmlInit()
    nvml.nvmlShutdown()
    assert nvml.nvmlDeviceGetCount() == 1
    nvml.nvmlShutdown()
    with pytest.raises(pynvml.NVMLError_Uninitialized):
        nvml.nvmlDeviceGetCount()


def test_a_handle_does_not_outlive_a_restart(nvml: ScriptedNvml) -> None:
    handle = nvml.nvmlDeviceGetHandleByIndex(0)
    nvml.nvmlShutdown()
    nvml.nvmlInit()
    with pytest.raises(pynvml.NVMLError_InvalidArgument):
        nvml.nvmlDeviceGetMemoryInfo(handle)


def test_answers_have_the_types_and_fields_of_the_real_ones(nvml: ScriptedNvml) -> None:
    handle = nvml.nvmlDeviceGetHandleByIndex(0)
    first, second = nvml.nvmlDeviceGetMemoryInfo(handle), nvml.nvmlDeviceGetMemoryInfo(handle, pynvml.nvmlMemory_v2)
    assert isinstance(first, pynvml.c_nvmlMemory_t) and isinstance(second, pynvml.c_nvmlMemory_v2_t)
    assert (first.total, first.free, first.used) == (100, 65, 35)
    assert (second.total, second.free, second.used, second.reserved) == (100, 65, 30, 5)
    assert isinstance(nvml.nvmlDeviceGetUtilizationRates(handle), pynvml.c_nvmlUtilization_t)
    (process,) = nvml.nvmlDeviceGetComputeRunningProcesses_v3(handle)
    assert {name for name, _ in pynvml.c_nvmlProcessInfo_v3_t._fields_} == vars(process).keys()


def test_constants_and_errors_are_the_real_ones(nvml: ScriptedNvml) -> None:
    assert nvml.NVMLError is pynvml.NVMLError
    assert nvml.nvmlMemory_v2 == pynvml.nvmlMemory_v2


def test_a_function_that_is_not_scripted_never_reaches_the_real_library(nvml: ScriptedNvml) -> None:
    with pytest.raises(AttributeError, match="nvmlDeviceGetFanSpeed is not scripted"):
        _ = nvml.nvmlDeviceGetFanSpeed
    with pytest.raises(ValueError, match="nvmlDeviceGetFanSpeed"):
        nvml.fail("nvmlDeviceGetFanSpeed", pynvml.NVML_ERROR_UNKNOWN)


def test_a_failure_lasts_for_its_calls_and_its_gpu(nvml: ScriptedNvml) -> None:
    nvml.gpus.append(ScriptedGpu("GPU-b"))
    nvml.fail("nvmlDeviceGetUUID", pynvml.NVML_ERROR_TIMEOUT, times=2, gpu=nvml.gpus[1])
    first, second = (nvml.nvmlDeviceGetHandleByIndex(index) for index in (0, 1))
    for _ in range(2):
        assert nvml.nvmlDeviceGetUUID(first) == "GPU-a"
        with pytest.raises(pynvml.NVMLError_Timeout):
            nvml.nvmlDeviceGetUUID(second)
    assert nvml.nvmlDeviceGetUUID(second) == "GPU-b"
    assert nvml.calls["nvmlDeviceGetUUID"] == 5
