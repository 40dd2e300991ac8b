import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from gearshift.pipeline import load

from .command import gearshift, said
from .terminals import Terminal

COMMAND = [sys.executable, "-c", "from gearshift.models.commands.cli import main; main()", "record"]
FAST = ("--interval", "0.1")
LADDER = '[[rung]]\nname = "small"\nneed = { ram = 1_000_000 }\n'


def test_it_ends_when_its_time_is_over_and_piped_lines_are_marks(tmp_path: Path) -> None:
    out, ladder = tmp_path / "run.jsonl", tmp_path / "ladder.toml"
    ladder.write_text(LADDER)
    done = subprocess.run(
        [*COMMAND, out, "--for", "2s", *FAST, "--ladder", ladder, "--json"],
        input="one\n\n  two", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    told, found = json.loads(done.stdout), load(out)
    assert (told["out"], told["end"], told["bytes"]) == (str(out), "time", out.stat().st_size)
    assert (told["samples"], told["decisions"], told["marks"]) == (len(found), 1, 2)
    assert [mark.text for mark in found.marks] == ["one", "two"]
    assert [decision.target for decision in found.decisions] == ["small"]
    assert found.header is not None and [rung.name for rung in found.header.ladder] == ["small"]
    assert found.header.settings is not None and found.header.settings.interval == 0.1


def test_its_decisions_are_those_of_a_replay(tmp_path: Path) -> None:
    out, ladder = tmp_path / "run.jsonl", tmp_path / "ladder.toml"
    ladder.write_text(LADDER)
    gearshift("record", out, "--for", "2", *FAST, "--ladder", ladder)
    found = json.loads(gearshift("replay", out, "--json").stdout)
    assert found["recorded"] == 1
    assert [d["time"] for d in found["decisions"]] == [d.time for d in load(out).decisions]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_good_order(tmp_path: Path, number: signal.Signals) -> None:
    out = tmp_path / "run.jsonl"
    recording = subprocess.Popen(
        [*COMMAND, out, *FAST], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
    )  # fmt: skip
    end = time.monotonic() + 30
    while not (out.exists() and out.read_bytes().count(b"\n") > 2) and time.monotonic() < end:
        time.sleep(0.05)
    os.kill(recording.pid, number)
    said, errors = recording.communicate(timeout=30)
    assert (recording.returncode, errors) == (0, "")
    assert said.startswith(f"{out}: {len(load(out))} samples over ")


def test_what_is_typed_at_a_terminal_becomes_a_mark_and_stays_readable(tmp_path: Path) -> None:
    out = tmp_path / "run.jsonl"
    with Terminal("record", out, *FAST) as terminal:
        terminal.until("a line that you type becomes a mark")
        terminal.press("the buix\x7fld")
        terminal.until("mark: the build_")
        terminal.press(" begins\n")
        terminal.until("Mark: the build begins")
        terminal.press("\x03")
        assert terminal.ended() == 0
    assert [mark.text for mark in load(out).marks] == ["the build begins"]
    assert " and 1 mark over " in terminal.seen


def test_a_file_of_the_largest_size_is_followed_by_another(tmp_path: Path) -> None:
    out = tmp_path / "run.jsonl"
    gearshift("record", out, "--for", "2", *FAST, "--max-size", "1K", "--keep", "1")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["run.1.jsonl", "run.jsonl"]


@pytest.mark.parametrize(
    ("args", "told", "code"),
    [
        (["/nowhere/run.jsonl"], "/nowhere/run.jsonl: No such file or directory; name a file", 1),
        (["/proc"], "/proc is a folder; name a file in it", 1),
        (["x", "--ladder", "absent.toml"], "absent.toml: No such file", 1),
        (["x", "--for", "soon"], "--for: 'soon' is no duration", 2),
        (["x", "--max-size", "0"], "--max-size: '0' is no size", 2),
        (["x", "--interval", "0"], "--interval: interval must be seconds above 0", 2),
    ],
)
def test_what_cannot_be_used_is_one_line(args: list[str], told: str, code: int) -> None:
    done = gearshift("record", *args)
    assert (done.returncode, done.stdout) == (code, "")
    assert said(done).startswith(f"gearshift record: {told}") and said(done).count("name a file") <= 1
