"""Apps of every kind, each a process of its own that keeps a rung in a worker."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.waiting import until

from .replies import gone

APP = """
import os, sys
from gearshift.models import ModelSpec, Options
from gearshift.models.replies.generation import Brake
from gearshift.models.hosts.process import ProcessHost

host = ProcessHost()
model = host.load(ModelSpec(name="small", source=sys.argv[1], context=512))
assert "torch" not in sys.modules and "transformers" not in sys.modules
pieces = []
written = model.generate([{"role": "user", "content": "Hello"}], "", Options(max_new_tokens=8), pieces.append, Brake())
"""
TELL = """
print(written.finished, bool("".join(pieces)), model.worker.pid, flush=True)
"""
WAIT = """
sys.stdin.read()
"""


@contextmanager
def app(*command: str, cwd: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, *command], cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def told(process: subprocess.Popen[str]) -> int:
    """It has answered; returns its worker."""
    assert process.stdout is not None
    finished, wrote, worker = process.stdout.readline().split()
    assert (finished, wrote) == ("True", "True")
    return int(worker)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code and all the output left."""
    out, _ = process.communicate(timeout=60)
    return process.returncode, out


def test_a_script_without_a_main_guard_runs_once_and_its_output_is_its_own(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    script = tmp_path / "app" / "app.py"
    script.parent.mkdir()
    script.write_text("print('begun', flush=True)\n" + APP + TELL)
    (tmp_path / "torch.py").write_text("raise SystemExit('nothing is imported from where the app is started')")
    with app(str(script), str(checkpoints["small"]), cwd=tmp_path) as process:
        assert process.stdout is not None and process.stdout.readline() == "begun\n"
        worker = told(process)
        assert ended(process) == (0, "") and gone(worker)


@pytest.mark.parametrize("flags", [[], ["-I"]], ids=["plain", "isolated"])
def test_code_given_on_the_command_line_works(flags: list[str], checkpoints: dict[str, Path]) -> None:
    with app(*flags, "-c", APP + TELL, str(checkpoints["small"])) as process:
        worker = told(process)
        assert ended(process) == (0, "") and gone(worker)


def test_an_app_that_only_has_daemon_threads_left_works(checkpoints: dict[str, Path]) -> None:
    body = textwrap.indent(APP + TELL, "    ")
    code = (
        "import threading\ndef run():\n" + body + "\nt = threading.Thread(target=run, daemon=True); t.start(); t.join()"
    )
    with app("-c", code, str(checkpoints["small"])) as process:
        worker = told(process)
        assert ended(process) == (0, "") and gone(worker)


def test_an_app_killed_at_once_leaves_no_process(checkpoints: dict[str, Path]) -> None:
    with app("-c", APP + TELL + WAIT, str(checkpoints["small"])) as process:
        told(process)
        left = psutil.Process(process.pid).children(recursive=True)
        assert len(left) == 2
        process.kill()
        until(lambda: all(gone(each.pid) for each in left), 10)


def test_an_app_killed_at_once_leaves_no_process_though_a_child_that_it_forked_lives_on(
    checkpoints: dict[str, Path],
) -> None:
    fork = """
child = os.fork()
if child == 0:
    import signal
    signal.pause()
print(child, flush=True)
"""
    with app("-c", APP + fork + TELL + WAIT, str(checkpoints["small"])) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        told(process)
        left = [each for each in psutil.Process(process.pid).children(recursive=True) if each.pid != child]
        process.kill()
        try:
            until(lambda: all(gone(each.pid) for each in left), 10)
            assert not gone(child)
        finally:
            os.kill(child, signal.SIGKILL)


def test_in_a_child_that_the_app_forked_the_host_is_refused_and_harms_nothing(checkpoints: dict[str, Path]) -> None:
    fork = """
child = os.fork()
if child == 0:
    try:
        host.load(ModelSpec(name="small", source=sys.argv[1]))
    except Exception as error:
        print(error, flush=True)
    host.close()
    sys.exit(0)
os.waitpid(child, 0)
written = model.generate([{"role": "user", "content": "Hello"}], "", Options(max_new_tokens=8), pieces.append, Brake())
"""
    with app("-c", APP + fork + TELL, str(checkpoints["small"])) as process:
        assert process.stdout is not None
        assert "make a new ProcessHost after a fork" in process.stdout.readline()
        told(process)
        assert ended(process) == (0, "")


def test_an_interrupt_from_the_terminal_does_not_end_the_workers_before_the_app_can(
    checkpoints: dict[str, Path],
) -> None:
    before = """
import os, signal
os.setpgid(0, 0)
signal.signal(signal.SIGINT, lambda *_: None)
"""
    after = """
sys.stdin.readline()
written = model.generate([{"role": "user", "content": "Hello"}], "", Options(max_new_tokens=8), pieces.append, Brake())
"""
    with app("-c", before + APP + TELL + after + TELL, str(checkpoints["small"])) as process:
        told(process)
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        told(process)
        assert ended(process)[0] == 0


def test_children_of_the_app_s_own_are_left_to_it_and_so_is_their_signal(checkpoints: dict[str, Path]) -> None:
    before = """
import signal, subprocess
seen = []
signal.signal(signal.SIGCHLD, lambda *_: seen.append(1))
"""
    after = """
assert not seen, seen
assert subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"]).wait() == 3
host.unload("small", model)
assert len(seen) == 1, seen
"""
    with app("-c", before + APP + after + TELL, str(checkpoints["small"])) as process:
        told(process)
        assert ended(process) == (0, "")
