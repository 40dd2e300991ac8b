"""Apps that fork, spawn or daemonise, with a manager alive, before it, or one in each child."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from gearshift.models import ModelSpec
from gearshift.models.hosts.process import ProcessHost

from tests.models.checkpoints import make_checkpoint

DEADLINE = 120

MAKE = """
import multiprocessing, os, sys, time
from pathlib import Path
from gearshift.models import Ladder, ModelManager, ModelSpec, Options
from gearshift.models.hosts.inline import InlineHost
from gearshift.models.testing import FakeModels, fake_ladder
from gearshift.pipeline import ProactiveScaler, Settings

folder, TWO = Path(sys.argv[1]), Options(max_new_tokens=2)

def make(name):
    ladder = fake_ladder(folder / name, large=3 << 20, small=1 << 20)
    settings = Settings(interval=0.02, fastest=0.02, high=0.97, critical=0.98)
    return ModelManager(ladder, settings, host=InlineHost(FakeModels()), cache=folder / name)

def answer(name):
    with make(name) as manager:
        assert manager.respond("Hi", options=TWO) == "word0 word1 "

def end_of(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
"""

ALIVE = """
manager = make("parent")
assert manager.respond("Hi", options=TWO) == "word0 word1 "
marker = list((folder / "parent" / "running").iterdir())
assert marker
child = os.fork()
if child == 0:
    try:
        manager.respond("Hi", options=TWO)
    except RuntimeError as error:
        assert "make a new ModelManager after a fork" in str(error)
    else:
        os._exit(9)
    manager.shutdown()
    answer("child")
    END
assert end_of(child) == 0
assert list((folder / "parent" / "running").iterdir()) == marker
assert manager.respond("Still there?", options=TWO) == "word0 word1 "
manager.shutdown()
assert not list((folder / "parent" / "running").iterdir())
"""

AT_ONCE = """
if __name__ == "__main__":
    with make("parent") as manager:
        assert manager.respond("Hi", options=TWO) == "word0 word1 "
        started = multiprocessing.get_context(METHOD)
        children = [started.Process(target=answer, args=(f"child {i}",)) for i in range(3)]
        for each in children:
            each.start()
        for each in children:
            each.join(90)
            assert each.exitcode == 0, each.exitcode
        assert manager.respond("Still there?", options=TWO) == "word0 word1 "
"""

PREFORK = """
def work(name):
    answer(name)
    os._exit(0)

children = []
for i in range(3):
    pid = os.fork()
    if pid == 0:
        work(f"child {i}")
    children.append(pid)
assert [end_of(pid) for pid in children] == [0, 0, 0]
"""

DAEMON = """
if os.fork():
    os.wait(); raise SystemExit(0)
os.setsid()
if os.fork():
    os._exit(0)
answer("daemon")
(folder / "done").write_text("done")
"""

SCALER = """
settings = Settings(interval=0.02, fastest=0.02)
scaler = ProactiveScaler([], settings)
def counted():
    seen = []
    with scaler.samples.subscribe(seen.append):
        end = time.monotonic() + 60
        while len(seen) < 3:
            assert time.monotonic() < end
            time.sleep(0.01)
scaler.start_continuous_monitoring()
counted()
child = os.fork()
if child == 0:
    assert scaler.start_continuous_monitoring(), "none of it runs in the child"
    counted()
    scaler.stop_continuous_monitoring()
    os._exit(0)
assert end_of(child) == 0
counted()
scaler.stop_continuous_monitoring()
"""


def run(folder: Path, code: str) -> None:
    """A script to its end, which comes, with its errors in the message. Its children may hold its output no longer."""
    script, told = folder / "app.py", folder / "errors"
    script.write_text(MAKE + code)
    with told.open("w") as errors:
        done = subprocess.run(
            [sys.executable, str(script), str(folder)], stdin=subprocess.DEVNULL, stderr=errors, check=False,
            timeout=DEADLINE, start_new_session=True,
        )  # fmt: skip
    assert (done.returncode, told.read_text()) == (0, "")


@pytest.mark.parametrize("end", ["os._exit(0)", "sys.exit(0)"])
def test_a_child_gets_a_clear_error_may_make_its_own_and_touches_nothing_of_the_parent_s(
    tmp_path: Path, end: str
) -> None:
    run(tmp_path, ALIVE.replace("END", end))


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_a_manager_in_each_child_at_once(tmp_path: Path, method: str) -> None:
    run(tmp_path, AT_ONCE.replace("METHOD", repr(method)))


def test_import_in_the_parent_and_managers_in_the_workers_as_prefork_servers_do(tmp_path: Path) -> None:
    run(tmp_path, PREFORK)


def test_a_daemon_that_makes_its_manager_after_its_forks(tmp_path: Path) -> None:
    run(tmp_path, DAEMON)
    done, waits = tmp_path / "done", threading.Event()
    for _ in range(DEADLINE * 10):
        if done.exists():
            break
        waits.wait(0.1)
    assert done.exists()


def test_a_scaler_is_started_anew_in_a_child_and_goes_on_in_the_parent(tmp_path: Path) -> None:
    run(tmp_path, SCALER)


def test_a_child_program_that_keeps_all_descriptors_open_gets_no_pipe_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = """
import os
for fd in os.listdir("/proc/self/fd"):
    try:
        print(os.readlink(f"/proc/self/fd/{fd}"))
    except OSError:
        pass  # what it was listed by
"""

    def kept() -> list[str]:
        listed = subprocess.run(
            [sys.executable, "-c", code], close_fds=False, capture_output=True, check=True, stdin=subprocess.DEVNULL
        )
        return sorted(each for each in listed.stdout.decode().split() if not each.startswith("pipe:"))

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    before = kept()
    host = ProcessHost()
    try:
        host.load(ModelSpec(name="small", source=str(make_checkpoint(tmp_path / "small", 64)), context=512))
        assert kept() == before
    finally:
        host.close()
