"""An app that is killed, interrupted, or ends without a shutdown."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

APP = """
import sys
from gearshift.models import ModelManager, Options

manager = ModelManager(sys.argv[1], cache=sys.argv[2])
print(manager.respond("Hi", options=Options(max_new_tokens=1)).rung, flush=True)
if sys.argv[3] == "stay":
    sys.stdin.read()
if sys.argv[3] == "talk":
    try:
        manager.respond("Hi", options=Options(max_new_tokens=200), on_text=lambda text: print("text", flush=True))
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    reply = manager.respond("Hi", options=Options(max_new_tokens=3))
    print(reply.rung, len(manager.history()), flush=True)
"""


class Lives(NamedTuple):
    """Three in a row on one cache, as a start takes seconds: what the second and the third have said, and have left.

    rungs: that answered first in each. code, there, left, markers: of the second, which ends without a shutdown: its
    exit code, its processes while it lived and after it, its notes of being alive. told, clean: what the third said
    once it was interrupted, and its exit code.
    """

    rungs: list[str]
    code: int
    there: list[psutil.Process]
    left: list[psutil.Process]
    markers: list[Path]
    told: list[str]
    clean: int


@pytest.fixture(scope="module")
def lives(checkpoints: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Lives:
    """One that is killed, one that ends without a shutdown, one that is interrupted in a reply."""
    folder = tmp_path_factory.mktemp("lives")
    file, cache = folder / "ladder.toml", folder / "cache"
    tables = [f"[[rung]]\nname = {json.dumps(n)}\nsource = {json.dumps(str(s))}\ncontext = 256"
              for n, s in checkpoints.items()]  # fmt: skip
    file.write_text("\n".join(tables))
    env = {**os.environ, "OMP_NUM_THREADS": "1"}  # threads that wait for each other crawl on a busy machine
    apps: list[subprocess.Popen[str]] = []

    def start(how: str) -> tuple["subprocess.Popen[str]", str]:
        command = [sys.executable, "-c", APP, str(file), str(cache), how]
        apps.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env))
        return apps[-1], line(apps[-1])

    try:
        killed, first = start("stay")
        killed.kill()
        killed.wait(60)
        ended, second = start("stay")
        there = psutil.Process(ended.pid).children(recursive=True)
        ended.communicate(timeout=60)
        left = psutil.wait_procs(there, timeout=20)[1]
        markers = list((cache / "running").iterdir())
        talking, third = start("talk")
        told = [line(talking)]
        talking.send_signal(signal.SIGINT)
        while (said := line(talking)) == "text":
            pass
        told += [said, line(talking)]
        return Lives([first, second, third], ended.returncode, there, left, markers, told, talking.wait(60))
    finally:
        for app in apps:
            app.kill()
            app.communicate()


def line(app: "subprocess.Popen[str]") -> str:
    assert app.stdout is not None
    return app.stdout.readline().strip()


def test_after_a_kill_it_starts_one_rung_lower_and_after_a_clean_end_at_the_top(lives: Lives) -> None:
    assert lives.rungs == ["large", "medium", "large"]


def test_an_end_without_a_shutdown_leaves_no_process_and_no_marker(lives: Lives) -> None:
    assert lives.code == 0
    assert lives.there and lives.left == [] and lives.markers == []


def test_an_interrupt_ends_a_reply_and_the_next_one_is_answered(lives: Lives) -> None:
    assert lives.told == ["text", "interrupted", "large 6"]
    assert lives.clean == 0
