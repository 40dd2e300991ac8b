"""NvmlProbe beside raw pynvml on a real GPU. Skipped where NVML doesn't start."""

import os
import statistics
import time
from collections.abc import Iterator
from typing import Any

import pynvml
import pytest
from gearshift.pipeline.probes.nvml import NvmlProbe
from gearshift.pipeline.probes.nvml_visible import cards, visible

MIB = 1 << 20


def count() -> int:
    try:
        pynvml.nvmlInit()
        return pynvml.nvmlDeviceGetCount()
    except pynvml.NVMLError:
        return 0


pytestmark = pytest.mark.skipif(not count(), reason="no NVIDIA GPU here")


@pytest.fixture
def probe() -> Iterator[NvmlProbe]:
    opened = NvmlProbe()
    yield opened
    opened.close()


@pytest.fixture
def handles() -> list[Any]:
    pynvml.nvmlInit()
    return [card.handle for card in visible(os.environ.get("CUDA_VISIBLE_DEVICES"), cards(pynvml))]


def test_pools_are_as_large_and_as_full_as_raw_nvml_says(probe: NvmlProbe, handles: list[Any]) -> None:
    seen = probe.read()
    assert list(seen.devices) == [f"cuda:{number}" for number in range(len(handles))]
    assert seen.missing == ()
    for name, handle in zip(seen.devices, handles, strict=True):
        try:
            raw = pynvml.nvmlDeviceGetMemoryInfo(handle)
        except pynvml.NVMLError_NotSupported:
            assert name not in seen.pools
            continue
        pool = seen.pools[name]
        assert pool is not None
        assert pool.total == raw.total
        assert pool.used == pytest.approx(raw.total - raw.free, abs=512 * MIB)
        assert 0 <= pool.own <= pool.used


def test_fields_are_there_exactly_where_raw_nvml_answers(probe: NvmlProbe, handles: list[Any]) -> None:
    def answers(function: str, *arguments: Any) -> bool:
        try:
            getattr(pynvml, function)(*arguments)
        except pynvml.NVMLError:
            return False
        return True

    for device, handle in zip(probe.read().devices.values(), handles, strict=True):
        uncorrected = pynvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, pynvml.NVML_VOLATILE_ECC
        assert (device.utilisation is not None) == answers("nvmlDeviceGetUtilizationRates", handle)
        assert (device.power is not None) == answers("nvmlDeviceGetPowerUsage", handle)
        assert (device.ecc_errors is not None) == answers("nvmlDeviceGetTotalEccErrors", handle, *uncorrected)
        assert device.utilisation is None or 0 <= device.utilisation <= 1
        assert device.temperature is None or 0 < device.temperature < 120
        assert device.power is None or 0 <= device.power < 3000


def test_an_allocation_by_torch_is_our_own(probe: NvmlProbe) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available() or "cuda:0" not in probe.read().pools:
        pytest.skip("torch has no CUDA here, or the memory is the host's")
    held = torch.empty(256 * MIB, dtype=torch.uint8, device="cuda:0")
    pool = probe.read().pools["cuda:0"]
    assert pool is not None
    assert pool.own >= held.numel()
    assert pool.total == pytest.approx(torch.cuda.get_device_properties(0).total_memory, rel=0.05)


def test_names_are_those_of_torch(probe: NvmlProbe, handles: list[Any]) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("torch has no CUDA here")
    assert len(probe.read().devices) == len(handles) == torch.cuda.device_count()
    keys = [card.key for card in visible(os.environ.get("CUDA_VISIBLE_DEVICES"), cards(pynvml))]
    if len(keys) > 1 and os.environ.get("CUDA_DEVICE_ORDER") != "PCI_BUS_ID":
        pytest.skip("CUDA may order its devices by speed")
    for index, key in enumerate(keys):
        if key.startswith("GPU-"):
            assert str(torch.cuda.get_device_properties(index).uuid).removeprefix("GPU-") == key.removeprefix("GPU-")


def test_closing_and_opening_again_works(probe: NvmlProbe) -> None:
    before = probe.read().pools.keys()
    probe.close()
    again = NvmlProbe()
    assert again.read().pools.keys() == before
    again.close()


def test_a_reading_costs_at_most_half_more_than_the_raw_calls(probe: NvmlProbe, handles: list[Any]) -> None:
    def raw() -> None:
        for handle in handles:
            for function, arguments in (
                ("nvmlDeviceGetMemoryInfo", (pynvml.nvmlMemory_v2,)),
                ("nvmlDeviceGetUtilizationRates", ()),
                ("nvmlDeviceGetTemperatureV", (pynvml.NVML_TEMPERATURE_GPU,)),
                ("nvmlDeviceGetPowerUsage", ()),
                ("nvmlDeviceGetCurrentClocksEventReasons", ()),
                ("nvmlDeviceGetTotalEccErrors", (pynvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, pynvml.NVML_VOLATILE_ECC)),
                ("nvmlDeviceGetComputeRunningProcesses_v3", ()),
                ("nvmlDeviceGetGraphicsRunningProcesses_v3", ()),
            ):
                try:
                    getattr(pynvml, function)(handle, *arguments)
                except pynvml.NVMLError:
                    continue

    def seconds(function: Any) -> float:
        start = time.perf_counter()
        function()
        return time.perf_counter() - start

    probe.read()
    pairs = [(seconds(raw), seconds(probe.read)) for _ in range(200)]
    ours, theirs = (statistics.median(column) for column in reversed(list(zip(*pairs, strict=True))))
    assert ours <= 1.5 * theirs, f"{ours * 1e6:.0f} µs against {theirs * 1e6:.0f} µs"
