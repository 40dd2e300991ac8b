"""An app that ends, however and in the midst of whatever: within 5 s, with its own exit code, and nothing is left."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.models.checkpoints import make_checkpoint

IN_TIME = 5.0  # seconds, by the promise
DEADLINE = 120.0  # seconds to get to where the end is tried

APP = """
import asyncio, contextlib, os, signal, sys, threading, time
from pathlib import Path
import psutil
from gearshift.models import Ladder, ModelManager, ModelSpec, Options, ShutDown
from gearshift.pipeline import Settings

folder, state = Path(sys.argv[1]), sys.argv[2]
rungs = ["slow"] if state == "loading" else ["large", "small"]
ladder = Ladder([ModelSpec(name=rung, source=str(folder / rung), context=512) for rung in rungs])
manager = ModelManager(ladder, Settings(interval=0.05, settle=0, high=0.97, critical=0.98), cache=folder / "cache")
LONG, news = Options(max_new_tokens=100_000), threading.Event()

def ask(**more):
    def work():
        with contextlib.suppress(ShutDown):  # what a reply that the end cuts off is to raise
            manager.respond("Hi", **more)
    threading.Thread(target=work, daemon=True).start()

def workers():
    return [each for each in psutil.Process().children(recursive=True) if each.ppid() != os.getpid()]

def until(happened):
    while not happened():
        time.sleep(0.005)

if state == "starting":
    ask()
    until(psutil.Process().children)
elif state == "loading":
    ask()
    until(workers)
else:
    first = []
    ask(options=LONG, on_text=lambda text: first.append(text))
    until(lambda: first)
    if state == "shifting":
        manager.scaler.initiate_graceful_degradation("a test")
    if state == "hung":
        os.kill(workers()[0].pid, signal.SIGSTOP)
        manager.scaler.initiate_graceful_degradation("a test", immediate=True)
print("ready", flush=True)
"""

ENDS = {
    "the_end_of_main": ("", 0),
    "sys_exit": ("sys.exit(3)", 3),
    "an_exception": ("raise RuntimeError('of the app itself')", 1),
    "os__exit": ("os._exit(4)", 4),
    "sys_exit_in_a_thread": ("t = threading.Thread(target=sys.exit, args=(3,)); t.start(); t.join()", 0),
    "a_loop_that_is_cancelled": (
        "async def run():\n"
        "    asking = asyncio.ensure_future(manager.generate_response('And?', options=LONG))\n"
        "    await asyncio.sleep(0.1); asyncio.get_running_loop().call_soon(asking.cancel)\n"
        "    await asyncio.wait({asking})\n"
        "asyncio.run(run())",
        0,
    ),
    "a_termination": ("time.sleep(600)", -signal.SIGTERM),
    "an_interrupt": ("time.sleep(600)", -signal.SIGINT),
    "a_kill": ("time.sleep(600)", -signal.SIGKILL),
}
SENT = {"a_termination": signal.SIGTERM, "an_interrupt": signal.SIGINT, "a_kill": signal.SIGKILL}
CASES = [
    *(("starting", how) for how in ENDS if how not in ("a_termination", "a_kill")),
    ("loading", "a_kill"), ("writing", "a_termination"), ("shifting", "an_interrupt"), ("hung", "the_end_of_main"),
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ends")
    for name, hidden in (("large", 256), ("small", 64), ("slow", 64)):
        make_checkpoint(root / name, hidden)
    config = json.loads((root / "slow" / "config.json").read_text())
    (root / "slow" / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 10_000}))
    return root


class Started:
    """The app, ready for its end."""

    def __init__(self, folder: Path, state: str, code: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", APP + code, str(folder), state],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert self.process.stdout is not None
        assert select.select([self.process.stdout], [], [], DEADLINE)[0], "it did not get there"
        told = self.process.stdout.readline()
        self.began = time.monotonic()
        self.left = psutil.Process(self.process.pid).children(recursive=True) if self._runs() else []
        if told != "ready\n":
            pytest.fail(f"it did not get there: {self.process.communicate(timeout=10)}")

    def _runs(self) -> bool:
        return self.process.poll() is None and psutil.pid_exists(self.process.pid)

    def ended(self) -> tuple[int, str, float]:
        """Exit code, errors, and seconds."""
        code = self.process.wait(DEADLINE)
        seconds = time.monotonic() - self.began
        _, alive = psutil.wait_procs(self.left, timeout=IN_TIME)
        assert alive == []
        assert self.process.stderr is not None
        return code, self.process.stderr.read(), seconds

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def started() -> Iterator[list[Started]]:
    made: list[Started] = []
    yield made
    for each in made:
        each.close()


@pytest.mark.parametrize(("state", "how"), CASES)
def test_it_ends_within_5_seconds_with_its_own_code_and_leaves_no_process(
    folder: Path, started: list[Started], state: str, how: str
) -> None:
    code, expected = ENDS[how]
    app = Started(folder, state, code)
    started.append(app)
    if how in SENT:
        app.process.send_signal(SENT[how])
    ended, errors, seconds = app.ended()
    assert ended == expected, errors
    assert seconds < IN_TIME, errors
    ours = [line for line in errors.splitlines() if "File " in line and ("/models/" in line or "/pipeline/" in line)]
    assert ours == [], errors
