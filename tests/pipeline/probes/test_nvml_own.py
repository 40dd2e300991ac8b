"""Whose memory it is: what our processes hold on a GPU, by NVML or by torch."""

import os
import subprocess
import sys

import pytest
from gearshift.pipeline import Pool
from gearshift.pipeline.probes.nvml import NvmlProbe
from gearshift.pipeline.testing import ScriptedNvml

from tests.pipeline.probes.gpus import GIB, PID, gpu, probe_of, torch_holding


@pytest.fixture(autouse=True)
def no_choice_of_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_own_memory_is_what_our_processes_hold_and_the_rest_is_external() -> None:
    busy = gpu("a", compute={PID: GIB, 7: 2 * GIB, 8: 4 * GIB})
    pool = probe_of(ScriptedNvml(busy), pids=(PID, 8)).read().pools["cuda:0"]
    assert pool is not None
    assert (pool.own, pool.external) == (5 * GIB, 4 * GIB)


def test_own_memory_counts_a_process_once_that_computes_and_draws() -> None:
    both = gpu("a", compute={PID: 2 * GIB}, graphics={PID: 2 * GIB, 9: GIB})
    assert probe_of(ScriptedNvml(both)).read().pools == {"cuda:0": Pool(24 * GIB, 9 * GIB, 2 * GIB)}


def test_more_of_ours_than_is_in_use_is_left_to_contradict_itself() -> None:
    assert probe_of(ScriptedNvml(gpu("a", compute={PID: 20 * GIB}))).read().pools == {
        "cuda:0": Pool(24 * GIB, 9 * GIB, 20 * GIB)
    }


def test_own_memory_follows_the_processes_of_the_moment() -> None:
    pids = [1]
    probe = probe_of(ScriptedNvml(gpu("a")), pids=pids)
    assert probe.read().pools == {"cuda:0": Pool(24 * GIB, 9 * GIB, 5 * GIB)}
    pids.append(PID)
    assert probe.read().pools == {"cuda:0": Pool(24 * GIB, 9 * GIB, 8 * GIB)}


@pytest.mark.parametrize(
    "listed",
    [{}, {1: 5 * GIB}, {os.getpid(): None}, {os.getpid(): (1 << 64) - 1}],
    ids=["empty", "not", "none", "na"],
)
def test_own_memory_of_this_process_is_what_torch_holds_where_nvml_cannot_say(listed: dict[int, int | None]) -> None:
    nvml = ScriptedNvml(gpu("a", compute=listed), gpu("b", compute=listed))
    probe = NvmlProbe(nvml, torch=lambda: torch_holding(GIB, 2 * GIB))
    assert [pool and pool.own for pool in probe.read().pools.values()] == [GIB, 2 * GIB]


def test_own_memory_takes_torch_for_this_process_beside_children_that_nvml_knows() -> None:
    here = os.getpid()
    probe = probe_of(ScriptedNvml(gpu("a")), pids=(here, PID), torch=torch_holding(GIB))
    assert [pool and pool.own for pool in probe.read().pools.values()] == [4 * GIB]


def test_own_memory_counts_no_byte_by_nvml_and_by_torch() -> None:
    probe = NvmlProbe(ScriptedNvml(gpu("a", compute={os.getpid(): 2 * GIB})), torch=lambda: torch_holding(GIB))
    assert [pool and pool.own for pool in probe.read().pools.values()] == [2 * GIB]


@pytest.mark.parametrize("torch", [None, object(), torch_holding(GIB, initialised=False), torch_holding()])
def test_own_memory_is_nothing_known_without_a_torch_in_use(torch: object) -> None:
    probe = NvmlProbe(ScriptedNvml(gpu("a", compute={})), torch=lambda: torch)
    assert probe.read().pools == {"cuda:0": Pool(24 * GIB, 9 * GIB)}


def test_own_memory_of_others_is_never_asked_of_torch() -> None:
    probe = probe_of(ScriptedNvml(gpu("a", compute={})), pids=(PID,), torch=torch_holding(GIB))
    assert probe.read().pools == {"cuda:0": Pool(24 * GIB, 9 * GIB)}


def test_reading_imports_no_torch() -> None:
    code = (
        "import sys\n"
        "from gearshift.pipeline.probes.nvml import NvmlProbe\n"
        "from gearshift.pipeline.testing import ScriptedGpu, ScriptedNvml\n"
        "print(NvmlProbe(ScriptedNvml(ScriptedGpu('GPU-a'))).read().pools['cuda:0'].own, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "False"]
