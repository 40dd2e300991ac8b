"""Memory of this process: what is read, what the ledger says of it, and what is given back."""

import gc
import subprocess
import sys
import textwrap
import threading
import weakref

import pytest
from gearshift.models.engine.memory import Ledger, Reading, Resident, allocated, pressed, resident, trim, unhook
from gearshift.pipeline.probes.ram import Own


class Told:
    """Readings by hand."""

    def __init__(self) -> None:
        self.now = Reading(Resident(100, 10), {"cuda:0": 5})

    def __call__(self) -> Reading:
        return self.now

    def become(self, rss: int, mapped: int, device: int) -> None:
        self.now = Reading(Resident(rss, mapped), {"cuda:0": device})


def test_what_a_load_takes_is_held_by_pool_and_seen_while_it_grows() -> None:
    told = Told()
    ledger = Ledger(told)
    ledger.begin()
    told.become(150, 40, 5)
    assert ledger.own() == Own(50, 30)
    told.become(180, 60, 45)
    assert ledger.end("large") == {"ram": 80, "cuda:0": 40} == ledger.held("large")
    assert ledger.own() == Own(80, 50)
    ledger.drop("large")
    assert ledger.own() == Own() and ledger.held("large") == {}


def test_a_failed_load_holds_nothing() -> None:
    told = Told()
    ledger = Ledger(told)
    ledger.begin()
    told.become(180, 60, 45)
    ledger.end(None)
    assert ledger.own() == Own()


def test_own_is_never_more_than_what_is_there() -> None:
    told = Told()
    ledger = Ledger(told)
    ledger.begin()
    told.become(180, 60, 5)
    ledger.end("large")
    told.become(40, 8, 5)  # the kernel has taken mapped pages back
    assert ledger.own() == Own(40, 8)


def test_growth_is_never_below_nothing() -> None:
    told = Told()
    ledger = Ledger(told)
    ledger.begin()
    told.become(60, 4, 0)
    assert ledger.end("large") == {"ram": 0, "cuda:0": 0}


def test_what_is_resident_holds_what_was_taken_until_it_is_trimmed() -> None:
    before = resident().rss
    pieces = [bytearray(b"x" * 50_000) for _ in range(1000)]
    assert resident().rss - before >= 45_000_000
    del pieces
    trim()
    assert resident().rss - before <= 10_000_000


def test_a_process_without_torch_has_no_accelerators_and_imports_none() -> None:
    code = """
        import sys
        import gearshift.models.engine.memory as memory, gearshift.models.failures, gearshift.models.hosts.inline
        assert memory.allocated() == {}
        memory.trim()
        assert memory.pressed() in (True, False)
        assert not {"torch", "transformers"} & set(sys.modules)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, timeout=60)


def test_accelerators_are_read_where_there_are_any() -> None:
    torch = pytest.importorskip("torch")
    there = torch.cuda.is_available() and torch.cuda.is_initialized()
    assert bool(allocated()) == (there or torch.backends.mps.is_available())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits its address space")
def test_memory_is_short_when_a_limit_is_nearly_used_up() -> None:
    code = """
        import resource, psutil
        from gearshift.models.engine.memory import pressed
        vms = psutil.Process().memory_info().vms
        resource.setrlimit(resource.RLIMIT_AS, (20 * vms, resource.RLIM_INFINITY))
        roomy = pressed()
        resource.setrlimit(resource.RLIMIT_AS, (int(1.04 * vms), resource.RLIM_INFINITY))
        print(roomy, pressed())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], check=True, timeout=60, capture_output=True, text=True
    )
    assert done.stdout.split() == [str(pressed()), "True"]


def test_hooks_of_a_device_map_are_taken_off_so_that_the_weights_can_go() -> None:
    torch = pytest.importorskip("torch")
    from accelerate.hooks import AlignDevicesHook, add_hook_to_module

    model = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Linear(8, 8))
    for module in model.modules():
        add_hook_to_module(module, AlignDevicesHook())
    unhook(model)
    assert not any(hasattr(module, "_hf_hook") for module in model.modules())
    weight = weakref.ref(model[0].weight)
    gc.disable()
    try:
        del model, module
        assert weight() is None
    finally:
        gc.enable()


def test_the_ledger_can_be_read_while_loads_write() -> None:
    told, stop = Told(), threading.Event()
    ledger, seen = Ledger(told), []

    def sample() -> None:
        while not stop.is_set():
            seen.append(ledger.own().used)

    sampler = threading.Thread(target=sample)
    sampler.start()
    for i in range(300):
        told.become(100, 10, 5)
        ledger.begin()
        told.become(180, 60, 45)
        ledger.end(f"rung {i % 3}")
        ledger.drop(f"rung {i % 3}")
    stop.set()
    sampler.join(30)
    assert seen and set(seen) <= {0, 80}
