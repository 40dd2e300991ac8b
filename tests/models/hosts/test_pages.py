import mmap
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gearshift.models.hosts.gpu import GpuReader
from gearshift.models.hosts.pages import Pages, Watched, fresh_pages, own_pages
from gearshift.pipeline.testing.nvml import ScriptedGpu, ScriptedNvml

MIB = 1 << 20


def block(size: int) -> mmap.mmap:
    """Fresh memory, written to; given back when closed."""
    memory = mmap.mmap(-1, size)
    memory[:: mmap.PAGESIZE] = b"x" * (size // mmap.PAGESIZE)
    return memory


def test_pages_tell_own_memory_and_memory_in_files_apart(tmp_path: Path) -> None:
    before = own_pages()
    with block(32 * MIB):
        grown = own_pages()
    assert abs(grown.held - before.held - 32 * MIB) < 2 * MIB and abs(grown.mapped - before.mapped) < MIB
    path = tmp_path / "weights"
    path.write_bytes(bytes(16 * MIB))
    before = own_pages()
    with weights(path):
        seen = own_pages()
    assert abs(seen.mapped - before.mapped - 16 * MIB) < MIB and abs(seen.held - before.held - 16 * MIB) < 2 * MIB
    assert 0.9 * seen.rss < seen.held + seen.file  # what is missing is code


@contextmanager
def weights(path: Path) -> Iterator[None]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert sum(mapped[:: mmap.PAGESIZE]) == 0
        yield


def test_weights_that_another_process_has_mapped_too_count_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(bytes(16 * MIB))
    code = "import mmap, sys; file = open(sys.argv[1], 'rb'); m = mmap.mmap(file.fileno(), 0, access=1); "
    command = [sys.executable, "-uc", code + "print(1 + sum(m[::4096])); input()", str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"1\n"
        before = own_pages()
        with weights(path):
            seen = own_pages()
        process.kill()
    assert abs(seen.mapped - before.mapped - 16 * MIB) < MIB and abs(seen.held - before.held - 16 * MIB) < 2 * MIB


def test_a_watched_process_is_counted_exactly_when_loaded_and_by_growth_before_and_after() -> None:
    here = fresh_pages()
    watched = Watched(os.getpid(), Pages(here.rss - 60 * MIB, here.file - 30 * MIB))
    own = watched.own()
    assert abs(own.used - 60 * MIB) < MIB and abs(own.mapped - 30 * MIB) < MIB
    here = fresh_pages()
    watched.loaded(Pages(here.rss, here.file, 55 * MIB, 20 * MIB))
    own = watched.own()
    assert abs(own.used - 55 * MIB) < MIB and abs(own.mapped - 20 * MIB) < MIB
    with block(8 * MIB):
        own = watched.own()
    assert abs(own.used - 63 * MIB) < MIB and abs(own.mapped - 20 * MIB) < MIB
    watched.close()
    watched.close()
    assert watched.own() == (0, 0)


def test_a_process_that_has_ended_holds_nothing_whether_reaped_or_not() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        watched = Watched(process.pid, Pages(0, 0))
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
