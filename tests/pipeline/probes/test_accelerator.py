"""What AcceleratorProbe reads through torch, and what it must not wake."""

import logging
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from gearshift.pipeline import Pool, Reading
from gearshift.pipeline.probes.accelerator import AcceleratorProbe

from tests.pipeline.probes.gpus import GIB


class Devices:
    """The module of one kind of accelerator. A question to a device that holds nothing opens it."""

    def __init__(self, *used: int, total: int = 16 * GIB, initialised: bool = True, **properties: Any) -> None:
        self.used, self.held, self.peak = list(used), [0] * len(used), [0] * len(used)
        self.total, self.initialised, self.properties = total, initialised, properties
        self.opened: set[int] = set()
        self.errors: dict[int, Exception] = {}

    def hold(self, index: int, size: int) -> None:
        self.held[index], self.peak[index] = size, max(size, self.peak[index])

    def is_initialized(self) -> bool:
        return self.initialised

    def device_count(self) -> int:
        return len(self.used)

    def memory_reserved(self, index: int) -> int:
        return self.held[index]

    def max_memory_reserved(self, index: int) -> int:
        return self.peak[index]

    def mem_get_info(self, index: int) -> tuple[int, int]:
        assert self.initialised
        self.opened.add(index)
        if index in self.errors:
            raise self.errors[index]
        return self.total - self.used[index], self.total

    def get_device_properties(self, _: int) -> Any:
        return SimpleNamespace(**self.properties)


class Metal:
    def __init__(self, total: int = 10 * GIB, own: int = 0, here: bool = True) -> None:
        self.total, self.own, self.here = total, own, here

    def is_available(self) -> bool:
        return self.here

    def recommended_max_memory(self) -> int:
        return self.total

    def driver_allocated_memory(self) -> int:
        return self.own


def torch_on(kind: str | None, module: Any = None, *, hip: str | None = None) -> Any:
    device = None if kind is None else SimpleNamespace(type=kind)
    general = SimpleNamespace(current_accelerator=lambda: device)
    return SimpleNamespace(accelerator=general, version=SimpleNamespace(hip=hip), **({kind: module} if kind else {}))


def rocm(module: Devices) -> Any:
    return torch_on("cuda", module, hip="6.4")


def probe_of(torch: Any, available: int = 12 * GIB) -> AcceleratorProbe:
    return AcceleratorProbe(lambda: torch, available=lambda: available)


class TestWhatItMustNotWake:
    def test_without_torch_there_is_nothing(self) -> None:
        probe = probe_of(None)
        assert (probe.read(), probe.pools, probe.in_ram()) == (Reading(), (), 0)

    def test_it_imports_no_torch(self) -> None:
        code = (
            "import sys\n"
            "from gearshift.pipeline.probes.accelerator import AcceleratorProbe\n"
            "print(AcceleratorProbe().read().pools, AcceleratorProbe().in_ram(), 'torch' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["{}", "0", "False"]

    @pytest.mark.parametrize("torch", [object(), SimpleNamespace(accelerator=None), torch_on("xpu"), torch_on(None)])
    def test_a_half_imported_torch_and_one_for_the_cpu_have_nothing_to_tell(self, torch: Any) -> None:
        assert probe_of(torch).read() == Reading()

    @pytest.mark.parametrize("make", [rocm, lambda module: torch_on("xpu", module)])
    def test_an_accelerator_that_nobody_initialised_is_not_asked(self, make: Callable[[Devices], Any]) -> None:
        module = Devices(GIB, initialised=False)
        assert probe_of(make(module)).read() == Reading()
        assert module.opened == set()

    def test_nvidias_are_left_to_nvml(self) -> None:
        module = Devices(GIB)
        assert probe_of(torch_on("cuda", module)).read() == Reading()
        assert module.opened == set()

    def test_of_several_devices_only_those_that_torch_has_used_are_opened(self) -> None:
        module = Devices(GIB, 2 * GIB, 3 * GIB)
        module.hold(1, GIB)
        probe = probe_of(rocm(module))
        assert probe.read().pools == {"cuda:1": Pool(16 * GIB, 2 * GIB, GIB)}
        assert (module.opened, probe.pools) == ({1}, ("cuda:1",))

    def test_a_device_stays_once_it_was_used(self) -> None:
        module = Devices(GIB, 2 * GIB)
        probe = probe_of(rocm(module))
        assert probe.read().pools == {}
        module.hold(0, GIB)
        module.hold(0, 0)
        assert probe.read().pools == {"cuda:0": Pool(16 * GIB, GIB)}
        module.peak[0] = 0
        assert probe.read().pools == {"cuda:0": Pool(16 * GIB, GIB)}


@pytest.mark.parametrize(("kind", "make"), [("cuda", rocm), ("xpu", lambda m: torch_on("xpu", m))])
def test_a_device_is_a_pool_with_what_torch_holds_as_own(kind: str, make: Callable[[Devices], Any]) -> None:
    module = Devices(5 * GIB)
    module.hold(0, 2 * GIB)
    assert probe_of(make(module)).read() == Reading({f"{kind}:0": Pool(16 * GIB, 5 * GIB, 2 * GIB)})


def test_a_kind_without_functions_of_its_own_is_asked_through_torch_accelerator() -> None:
    module = SimpleNamespace(is_initialized=lambda: True, device_count=lambda: 1)
    torch = torch_on("npu", module)
    torch.accelerator.memory_reserved = lambda index: GIB * (index + 1)
    torch.accelerator.get_memory_info = lambda _: (6 * GIB, 8 * GIB)
    assert probe_of(torch).read() == Reading({"npu:0": Pool(8 * GIB, 2 * GIB, GIB)})


@pytest.mark.parametrize("properties", [{"is_integrated": 1}, {"is_integrated_gpu": True}])
def test_an_integrated_gpu_is_no_pool_and_what_it_holds_is_in_ram(properties: dict[str, Any]) -> None:
    module = Devices(5 * GIB, **properties)
    module.hold(0, 2 * GIB)
    probe = probe_of(torch_on("xpu", module))
    assert (probe.read(), probe.pools) == (Reading(), ())
    assert probe.in_ram() == 2 * GIB


def test_a_device_that_fails_is_unknown_told_once_and_hides_no_other(caplog: pytest.LogCaptureFixture) -> None:
    module = Devices(GIB, 2 * GIB)
    module.hold(0, 1)
    module.hold(1, 1)
    probe = probe_of(rocm(module))
    caplog.set_level(logging.INFO, logger="gearshift.pipeline")
    module.errors[0] = RuntimeError("HIP error: device lost")
    for _ in range(3):
        assert probe.read() == Reading({"cuda:0": None, "cuda:1": Pool(16 * GIB, 2 * GIB, 1)}, missing=("cuda:0",))
    assert [record.getMessage() for record in caplog.records] == [
        "cuda:0 can't be read: HIP error: device lost; unknown until it can"
    ]
    module.errors.clear()
    assert probe.read().pools["cuda:0"] == Pool(16 * GIB, GIB, 1)


@pytest.mark.parametrize("info", [(20 * GIB, 16 * GIB), (0, 0), (-1, 16 * GIB)])
def test_impossible_numbers_are_unknown(info: tuple[int, int]) -> None:
    module = Devices(0)
    module.mem_get_info = lambda _: info
    assert probe_of(rocm(module)).read() == Reading({"cuda:0": None}, missing=("cuda:0",))


class TestApple:
    def test_the_working_limit_is_metals_recommended_one(self) -> None:
        assert probe_of(torch_on("mps", Metal(own=3 * GIB))).read() == Reading(
            {"mps": Pool(10 * GIB, 3 * GIB, 3 * GIB)}
        )

    def test_use_of_ram_by_others_is_use_of_the_window(self) -> None:
        pool = probe_of(torch_on("mps", Metal(own=3 * GIB)), available=2 * GIB).read().pools["mps"]
        assert pool is not None
        assert (pool.total - pool.used, pool.own, pool.external) == (2 * GIB, 3 * GIB, 5 * GIB)

    def test_more_than_the_recommendation_leaves_nothing_free(self) -> None:
        pool = probe_of(torch_on("mps", Metal(own=11 * GIB))).read().pools["mps"]
        assert pool == Pool(10 * GIB, 10 * GIB, 10 * GIB)

    def test_a_model_there_is_known_in_ram(self) -> None:
        assert probe_of(torch_on("mps", Metal(own=3 * GIB))).in_ram() == 3 * GIB

    def test_a_mac_without_metal_has_no_pool(self) -> None:
        probe = probe_of(torch_on("mps", Metal(own=GIB, here=False)))
        assert (probe.read(), probe.pools, probe.in_ram()) == (Reading(), (), 0)

    def test_no_recommendation_is_unknown(self) -> None:
        assert probe_of(torch_on("mps", Metal(total=0))).read() == Reading({"mps": None}, missing=("mps",))

    def test_its_pool_is_named_once_it_was_seen(self) -> None:
        probe = probe_of(torch_on("mps", Metal()))
        probe.read()
        assert probe.pools == ("mps",)


class TestRealTorch:
    def test_on_this_machine_it_tells_no_more_than_torch_has_woken(self) -> None:
        torch = pytest.importorskip("torch")
        woken = torch.cuda.is_initialized(), torch.xpu.is_initialized()
        seen = AcceleratorProbe().read()
        assert (torch.cuda.is_initialized(), torch.xpu.is_initialized()) == woken
        if torch.accelerator.current_accelerator() is None:
            assert seen == Reading()

    def test_offers_the_functions_that_the_probe_asks_for(self) -> None:
        torch = pytest.importorskip("torch")
        asked = {name for name in vars(Devices) if not name.startswith("_")} - {"hold"}
        assert [asked - set(dir(module)) for module in (torch.cuda, torch.xpu)] == [set(), set()]
        for name in ("is_available", "recommended_max_memory", "driver_allocated_memory"):
            assert hasattr(torch.mps, name)
        for name in ("current_accelerator", "memory_reserved", "max_memory_reserved", "get_memory_info"):
            assert hasattr(torch.accelerator, name)
