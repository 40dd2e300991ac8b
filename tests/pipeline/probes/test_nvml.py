"""What NvmlProbe reads, whose memory it is, and how it starts, ends and recovers."""

import logging

import pynvml
import pytest
from gearshift.pipeline import Device, Pool, Reading, Sampler
from gearshift.pipeline.probes.nvml import NvmlProbe
from gearshift.pipeline.probes.nvml_gpu import throttle_names
from gearshift.pipeline.testing import ScriptedNvml
from msgspec import structs

from tests.pipeline.probes.gpus import FULL, GIB, WELL, Clock, Machine, gpu, probe_of


@pytest.fixture(autouse=True)
def no_choice_of_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def driver_here() -> bool:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return False
    pynvml.nvmlShutdown()
    return True


def test_a_gpu_is_read_in_bytes_fractions_celsius_and_watts() -> None:
    assert probe_of(ScriptedNvml(gpu("a"))).read() == Reading(
        pools={"cuda:0": Pool(total=24 * GIB, used=9 * GIB, own=3 * GIB)},
        devices={
            "cuda:0": Device(
                utilisation=0.5,
                temperature=61.0,
                power=123.456,
                reserved=1 * GIB,
                throttled=("sw_power_cap",),
                ecc_errors=2,
            )
        },
    )


def test_each_gpu_has_a_pool_and_a_device_of_its_own() -> None:
    probe = probe_of(ScriptedNvml(gpu("a"), gpu("b", used=2 * GIB, compute={}), gpu("c", reserved=0)))
    seen = probe.read()
    assert probe.pools == ("cuda:0", "cuda:1", "cuda:2")
    assert seen.pools == {
        "cuda:0": WELL,
        "cuda:1": Pool(24 * GIB, 3 * GIB),
        "cuda:2": Pool(24 * GIB, 8 * GIB, 3 * GIB),
    }
    assert list(seen.devices) == list(probe.pools)


def test_a_driver_without_the_second_memory_struct_is_asked_by_the_first_from_then_on() -> None:
    nvml = ScriptedNvml(gpu("a", memory_v2=False))
    probe = probe_of(nvml)
    for _ in range(3):
        seen = probe.read()
        assert seen.pools == {"cuda:0": WELL}
        assert seen.devices["cuda:0"].reserved is None
    assert nvml.calls["nvmlDeviceGetMemoryInfo"] == 2 + 1 + 1


def test_what_a_gpu_does_not_support_is_a_missing_field_and_asked_once() -> None:
    mute = gpu("a", utilisation=None, temperature=None, power=None, throttle=None, ecc_errors=None)
    mute.unsupported |= {
        f"nvmlDeviceGet{kind}RunningProcesses_v{v}" for kind in ("Compute", "Graphics") for v in (2, 3)
    }
    nvml = ScriptedNvml(mute)
    probe = probe_of(nvml)
    assert probe.read() == Reading({"cuda:0": Pool(24 * GIB, 9 * GIB)}, {"cuda:0": Device(reserved=1 * GIB)})
    before = nvml.calls.copy()
    for _ in range(5):
        probe.read()
    assert nvml.calls - before == {"nvmlDeviceGetMemoryInfo": 5}


def test_a_gpu_without_memory_of_its_own_is_a_device_but_no_pool() -> None:
    spark = gpu("a", total=None)
    nvml = ScriptedNvml(spark, gpu("b"))
    probe = probe_of(nvml)
    for _ in range(2):
        seen = probe.read()
        assert seen.pools == {"cuda:1": WELL}
        assert seen.devices["cuda:0"] == structs.replace(FULL, reserved=None)
        assert seen.missing == ()
    assert probe.pools == ("cuda:1",)
    assert nvml.calls["nvmlDeviceGetMemoryInfo"] == 2 + 2


def test_memory_that_was_told_before_and_no_longer_is_counts_as_lost() -> None:
    nvml, clock = ScriptedNvml(gpu("a")), Clock()
    probe = probe_of(nvml, clock=clock)
    probe.read()
    nvml.fail("nvmlDeviceGetMemoryInfo", nvml.NVML_ERROR_NOT_SUPPORTED, times=2)
    assert probe.read() == Reading({"cuda:0": None}, missing=("cuda:0",))
    clock.now += 1
    assert probe.read().pools == {"cuda:0": WELL}


@pytest.mark.parametrize(("total", "used"), [(24 * GIB, 30 * GIB), (0, 0)])
def test_impossible_numbers_are_unknown(total: int, used: int) -> None:
    seen = probe_of(ScriptedNvml(gpu("a", total=total, used=used, reserved=0), gpu("b"))).read()
    assert seen.pools == {"cuda:0": None, "cuda:1": WELL}
    assert seen.missing == ("cuda:0",)


def test_reasons_that_hold_nothing_back_have_no_name() -> None:
    benign = ("None", "GpuIdle", "ApplicationsClocksSetting", "DisplayClockSetting")
    for reason in benign:
        assert throttle_names(getattr(pynvml, f"nvmlClocksThrottleReason{reason}")) == ()
    others = {
        value
        for name, value in vars(pynvml).items()
        if name.startswith("nvmlClocksThrottleReason") and not name.endswith((*benign, "All", "UserDefinedClocks"))
    }
    names = [throttle_names(value) for value in sorted(others)]
    assert [len(name) for name in names] == [1] * 8
    assert not any(name.startswith("reason_") for (name,) in names)


class TestRecovery:
    def test_waits_twice_as_long_each_time_up_to_a_minute(self) -> None:
        machine = Machine()
        machine.fail(["nvmlDeviceGetMemoryInfo"], pynvml.NVML_ERROR_GPU_IS_LOST)
        start, began = machine.clock.now, []
        for _ in range(200):
            before = machine.nvml.calls["nvmlInit"]
            seen = machine.read()
            assert (seen.pools, seen.missing) == ({"cuda:0": None, "cuda:1": WELL}, ("cuda:0",))
            began += [machine.clock.now - start] * (machine.nvml.calls["nvmlInit"] - before)
            machine.clock.now += 1
        assert began == [1, 3, 7, 15, 31, 63, 123, 183]
        assert machine.nvml.users == 1

    def test_starts_its_waits_anew_once_all_is_well(self) -> None:
        machine = Machine()
        for _ in range(3):
            machine.fail(["nvmlDeviceGetMemoryInfo"], pynvml.NVML_ERROR_GPU_IS_LOST, times=2)
            for wait in (1, 2):
                assert machine.read().pools["cuda:0"] is None
                machine.clock.now += wait
            assert machine.read().pools["cuda:0"] == WELL

    def test_keeps_names_when_a_gpu_falls_off_the_bus_and_returns_elsewhere(self) -> None:
        machine = Machine()
        other = machine.nvml.gpus[1]
        other.used = 4 * GIB
        machine.fail(["nvmlDeviceGetMemoryInfo"], pynvml.NVML_ERROR_GPU_IS_LOST)
        machine.nvml.gpus = [other]
        machine.read()
        machine.clock.now += 1
        assert machine.read().pools == {"cuda:0": None, "cuda:1": Pool(24 * GIB, 5 * GIB, 3 * GIB)}
        machine.nvml.heal()
        machine.nvml.gpus = [other, machine.ill, gpu("new")]
        machine.clock.now += 2
        assert machine.read().pools == {"cuda:0": WELL, "cuda:1": Pool(24 * GIB, 5 * GIB, 3 * GIB)}

    def test_is_told_once_at_each_end(self, caplog: pytest.LogCaptureFixture) -> None:
        machine = Machine()
        caplog.set_level(logging.INFO, logger="gearshift.pipeline")
        machine.fail(["nvmlDeviceGetMemoryInfo"], pynvml.NVML_ERROR_GPU_IS_LOST)
        for _ in range(20):
            machine.read()
            machine.clock.now += 1
        machine.nvml.heal()
        machine.clock.now += 60
        machine.read()
        machine.read()
        assert [record.getMessage() for record in caplog.records] == [
            "cuda:0 can't be read: GPU is lost; unknown until it can",
            "cuda:0 is read again",
        ]

    def test_of_the_whole_library_is_told_once(self, caplog: pytest.LogCaptureFixture) -> None:
        machine = Machine(started=False)
        caplog.set_level(logging.INFO, logger="gearshift.pipeline")
        machine.nvml.fail("nvmlInit", pynvml.NVML_ERROR_UNKNOWN, times=3)
        machine.start()
        for _ in range(20):
            machine.read()
            machine.clock.now += 1
        assert [record.getMessage() for record in caplog.records] == [
            "NVML can't be started: Unknown Error; GPUs are unknown until it can"
        ]

    def test_takes_a_shutdown_by_another_user(self) -> None:
        machine = Machine()
        machine.nvml.nvmlShutdown()
        assert machine.read() == Reading({"cuda:0": None, "cuda:1": None}, missing=("cuda:0", "cuda:1"))
        machine.comes_back(1.0)

    def test_shows_in_a_sample_as_an_unknown_pool_beside_known_ones(self) -> None:
        machine = Machine()
        machine.fail(["nvmlDeviceGetMemoryInfo"], pynvml.NVML_ERROR_UNKNOWN)
        assert Sampler([machine.probe]).take().pools == {"cuda:0": None, "cuda:1": WELL}


class TestEnds:
    def test_closing_shuts_nvml_down_once_and_leaves_empty_readings(self) -> None:
        nvml = ScriptedNvml(gpu("a"))
        probe = probe_of(nvml)
        probe.close()
        probe.close()
        assert (nvml.users, nvml.calls["nvmlShutdown"]) == (0, 1)
        assert (probe.read(), probe.pools) == (Reading(), ())

    def test_nvml_is_initialised_once_for_all_readings(self) -> None:
        nvml = ScriptedNvml(gpu("a"))
        probe = probe_of(nvml)
        for _ in range(10):
            probe.read()
        assert (nvml.calls["nvmlInit"], nvml.calls["nvmlDeviceGetHandleByIndex"]) == (1, 1)

    def test_a_driver_without_gpus_has_nothing_to_tell(self) -> None:
        probe = probe_of(ScriptedNvml())
        assert (probe.read(), probe.pools) == (Reading(), ())

    @pytest.mark.skipif(driver_here(), reason="this machine has an NVIDIA driver")
    def test_the_real_library_is_quiet_where_there_is_no_driver(self, caplog: pytest.LogCaptureFixture) -> None:
        probe = NvmlProbe()
        assert (probe.read(), probe.pools, caplog.records) == (Reading(), (), [])
        probe.close()

    def test_processes_that_cannot_be_listed_are_an_error_of_the_caller(self) -> None:
        def broken() -> list[int]:
            raise OSError("no /proc")

        with pytest.raises(OSError, match="no /proc"):
            NvmlProbe(ScriptedNvml(gpu("a")), pids=broken).read()
