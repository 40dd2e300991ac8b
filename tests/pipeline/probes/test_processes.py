import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from gearshift.pipeline.probes.processes import ProcessTree

from tests.pipeline.probes.clock import Clock

MIB = 2**20
HOLDER = "import sys; held = b'x' * (int(sys.argv[1]) << 20); print('ready', flush=True); sys.stdin.read()"
SHARER = """
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
held = b"x" * (64 << 20)
children = []
for _ in range(3):
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(theirs)
        os.read(ours, 1)
        os._exit(0)
    os.close(ours)
    children.append(theirs)
print("ready", flush=True)
sys.stdin.read()
"""


@contextmanager
def program(code: str, *args: str) -> Iterator["subprocess.Popen[str]"]:
    child = subprocess.Popen(
        [sys.executable, "-c", code, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdin is not None and child.stdout is not None
    try:
        assert child.stdout.readline() == "ready\n"
        yield child
    finally:
        child.communicate("", timeout=30)


def test_knows_its_children_and_what_they_hold() -> None:
    clock = Clock()
    tree = ProcessTree(clock=clock)
    alone, before = tree.pids(), tree.used()
    assert alone == [os.getpid()]
    with program(HOLDER, "1"):
        clock.now = 1.0
        beside = tree.used()  # less what is shared, with programs of others too
    clock.now = 2.0
    with program(HOLDER, "100") as child:
        clock.now = 3.0
        assert tree.pids() == [os.getpid(), child.pid]
        assert tree.used() - beside == pytest.approx(100 * MIB, abs=20 * MIB)
    assert tree.used() - before == pytest.approx(0, abs=20 * MIB)
    clock.now = 4.0
    assert tree.pids() == [os.getpid()]


def test_pages_that_children_share_count_once() -> None:
    with program(SHARER) as child:
        tree = ProcessTree(child.pid)
        assert len(tree.pids()) == 4
        assert tree.resident() > 4 * 64 * MIB
        assert 64 * MIB < tree.used() < 120 * MIB


def test_a_child_that_is_killed_takes_its_share_with_it_at_once() -> None:
    clock = Clock()
    with program(SHARER) as child:
        tree = ProcessTree(child.pid, clock=clock)
        first = tree.used()
        child_of = psutil.Process(child.pid).children()[0]
        child_of.kill()
        psutil.wait_procs([child_of], timeout=10)
        assert tree.used() == pytest.approx(first, abs=20 * MIB)
        for other in psutil.Process(child.pid).children():
            other.kill()
        psutil.wait_procs(psutil.Process(child.pid).children(), timeout=10)
        assert tree.used() == pytest.approx(first, abs=20 * MIB), "nobody shares any more, and all is counted"


def test_children_that_come_and_go_hide_nobody() -> None:
    tree = ProcessTree(clock=iter(range(10**6)).__next__)
    loop = "import subprocess\nprint('ready', flush=True)\nwhile True: subprocess.run(['/bin/true'])"
    child = subprocess.Popen([sys.executable, "-c", loop], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == "ready\n"
    try:
        assert all({os.getpid(), child.pid} <= set(tree.pids()) and tree.used() > 0 for _ in range(300))
    finally:
        child.kill()
        child.communicate(timeout=10)


def test_a_process_that_has_ended_is_told() -> None:
    with program(HOLDER, "1") as child:
        tree = ProcessTree(child.pid)
    with pytest.raises(psutil.NoSuchProcess):
        tree.used()
