"""An app that is killed, interrupted, or ends without a shutdown."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from gearshift.models import Ladder

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


@pytest.fixture
def started(ladder: Ladder, tmp_path: Path) -> Iterator[Callable[[str], "subprocess.Popen[str]"]]:
    """Starts the app in one of its ways."""
    file = tmp_path / "ladder.toml"
    tables = [f"[[rung]]\nname = {json.dumps(s.name)}\nsource = {json.dumps(s.source)}\ncontext = 256" for s in ladder]
    file.write_text("\n".join(tables))
    apps: list[subprocess.Popen[str]] = []

    def start(how: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", APP, str(file), str(tmp_path / "cache"), how]
        apps.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return apps[-1]

    yield start
    for app in apps:
        app.kill()
        app.communicate()


def line(app: "subprocess.Popen[str]") -> str:
    assert app.stdout is not None
    return app.stdout.readline().strip()


def test_after_a_kill_it_starts_one_rung_lower_and_after_a_clean_end_at_the_top(
    started: Callable[[str], "subprocess.Popen[str]"],
) -> None:
    killed = started("stay")
    assert line(killed) == "large"
    killed.kill()
    killed.wait(60)
    for expected in ("medium", "large"):
        app = started("end")
        assert line(app) == expected
        assert app.wait(60) == 0


def test_an_end_without_a_shutdown_leaves_no_process_and_no_marker(
    started: Callable[[str], "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    app = started("stay")
    assert line(app) == "large"
    descendants = psutil.Process(app.pid).children(recursive=True)
    app.communicate(timeout=60)
    assert app.returncode == 0
    assert descendants and psutil.wait_procs(descendants, timeout=20)[1] == []
    assert list((tmp_path / "cache" / "running").iterdir()) == []


def test_an_interrupt_ends_a_reply_and_the_next_one_is_answered(
    started: Callable[[str], "subprocess.Popen[str]"],
) -> None:
    app = started("talk")
    assert [line(app), line(app)] == ["large", "text"]
    app.send_signal(signal.SIGINT)
    while (told := line(app)) == "text":
        pass
    assert told == "interrupted"
    assert line(app) == "large 6"
    assert app.wait(60) == 0
