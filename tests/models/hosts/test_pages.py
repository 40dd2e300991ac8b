import mmap
import os
import subprocess
import sys
from pathlib import Path

from gearshift.models.hosts.gpu import GpuReader
from gearshift.models.hosts.pages import Pages, Watched, own_pages
from gearshift.pipeline.testing_nvml import ScriptedGpu, ScriptedNvml

MIB = 1 << 20


def block(size: int) -> mmap.mmap:
    """Fresh memory, written to; given back when closed."""
    memory = mmap.mmap(-1, size)
    memory.write(bytes(size))
    return memory


def test_pages_tell_own_memory_and_memory_in_files_apart(tmp_path: Path) -> None:
    before = own_pages()
    with block(32 * MIB):
        grown = own_pages()
    assert abs(grown.private - before.private - 32 * MIB) < 2 * MIB and grown.file - before.file < MIB
    grown = own_pages()
    path = tmp_path / "weights"
    path.write_bytes(bytes(16 * MIB))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert sum(mapped[:: mmap.PAGESIZE]) == 0
        seen = own_pages()
    assert abs(seen.file - grown.file - 16 * MIB) < MIB and abs(seen.private - grown.private - 16 * MIB) < 2 * MIB


def test_a_watched_process_is_counted_exactly_when_loaded_and_by_growth_from_then_on() -> None:
    here = own_pages()
    fresh = Pages(here.rss - 60 * MIB, here.file - 30 * MIB, 2 * MIB, here.shared - 10 * MIB)
    watched = Watched(os.getpid(), fresh)
    own = watched.own()
    assert abs(own.used - 62 * MIB) < MIB and abs(own.mapped - 30 * MIB) < MIB
    held = watched.loaded(Pages(here.rss, here.file, 55 * MIB, here.shared))
    assert held == (55 * MIB, 20 * MIB)  # 10 of the 30 MiB in files are code that others have mapped too
    with block(8 * MIB):
        own = watched.own()
    assert abs(own.used - held.used - 8 * MIB) < MIB and abs(own.mapped - held.mapped) < MIB
    watched.close()
    watched.close()
    assert watched.own() == (0, 0)


def test_a_process_that_has_ended_holds_nothing_whether_reaped_or_not() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        watched = Watched(process.pid, Pages(0, 0, 0, 0))
        assert watched.own().used > 0
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert watched.own() == (0, 0)
    assert watched.own() == (0, 0)
    watched.close()


def test_what_a_worker_holds_on_gpus_is_what_nvml_lists_for_its_process_id() -> None:
    first = ScriptedGpu("GPU-1", used=900, compute={7: 500, 8: 300})
    nvml = ScriptedNvml(first, ScriptedGpu("GPU-2", used=50, compute={7: 50}))
    reader = GpuReader(nvml)
    assert reader.held(7) == {"cuda:0": 500, "cuda:1": 50}
    assert reader.held(8) == {"cuda:0": 300} and reader.held(9) == {}
    first.compute = {}
    assert reader.held(7) == {"cuda:1": 50}
    reader.close()
    reader.close()


def test_without_nvml_a_worker_holds_nothing_on_gpus() -> None:
    reader = GpuReader()
    assert reader.held(os.getpid()) == {}
    reader.close()
