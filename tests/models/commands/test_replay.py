import json
import subprocess
import sys
from pathlib import Path

import pytest
from gearshift.pipeline import Header, Recorder, Residency, Settings, load, replayed
from gearshift.pipeline.replayed import rungs_from

from .command import gearshift, said

LEAK = Path(__file__).parents[2] / "recordings" / "leak.jsonl"
LADDER = """
[[rung]]
name = "large"
need = { ram = 18_500_000_000 }

[[rung]]
name = "small"
need = { ram = 4_000_000_000 }
"""


@pytest.fixture
def ladder(tmp_path: Path) -> Path:
    file = tmp_path / "ladder.toml"
    file.write_text(LADDER)
    return file


def test_decisions_stand_at_their_times_with_the_marks_among_them(ladder: Path) -> None:
    done = gearshift("replay", LEAK, "--ladder", ladder)
    assert done.returncode == 0, done.stderr
    starts = [line[:30].strip() for line in done.stdout.splitlines() if " s  " in line[:8]]
    assert [start.split("  ")[0] for start in starts] == ["0.0 s", "3.0 s", "22.5 s", "44.1 s"]
    assert [start.split("  ")[1].split()[0] for start in starts] == ["Shift", "Mark:", "Shift", "Mark:"]
    assert done.stdout.splitlines()[-1] == "2 decisions over 48.0 s, as in a dry run."
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_setting_changes_what_is_decided(ladder: Path) -> None:
    found = json.loads(gearshift("replay", LEAK, "--ladder", ladder, "--set", "high=0.9", "--json").stdout)
    assert [decision["target"] for decision in found["decisions"]] == ["large"]
    assert (found["settings"]["high"], found["dry_run"], found["samples"]) == (0.9, True, 97)
    assert found["decisions"][0]["explain"].startswith("Shift up from nothing to large")


def test_a_pace_gives_the_same_lines(ladder: Path) -> None:
    paced = gearshift("replay", LEAK, "--ladder", ladder, "--speed", "1000")
    assert paced.stdout == gearshift("replay", LEAK, "--ladder", ladder).stdout


def test_what_was_loaded_then_counts_where_the_recording_tells(ladder: Path, tmp_path: Path) -> None:
    samples, file = load(LEAK).samples, tmp_path / "run.jsonl"
    recorder = Recorder(file, header=Header(1, ladder=tuple(rungs_from(ladder)), settings=Settings()))
    recorder.write(Residency(samples[0].time, "ready", "large"))
    for sample in samples:
        recorder.write(sample)
    recorder.close()
    found = json.loads(gearshift("replay", file, "--json").stdout)
    assert not found["dry_run"]
    assert [(d["source"], d["target"]) for d in found["decisions"]] == [("large", "small")]
    assert [d["time"] for d in found["decisions"]] == [d.time for d in replayed(file)]


@pytest.mark.parametrize(
    ("args", "told", "code"),
    [
        (["absent.jsonl"], "absent.jsonl: No such file", 1),
        ([str(LEAK)], f"{LEAK} names no ladder", 2),
        ([str(LEAK), "--speed", "0"], "--speed must be above 0", 2),
        ([str(LEAK), "--speed", "2", "--json"], "--speed paces lines", 2),
        ([str(LEAK), "--set", "hihg=0.9"], "--set hihg=0.9: unknown key 'hihg'; did you mean high?", 2),
    ],
)
def test_what_cannot_be_used_is_one_line(args: list[str], told: str, code: int) -> None:
    done = gearshift("replay", *args)
    assert (done.returncode, done.stdout) == (code, "")
    assert said(done).startswith(f"gearshift replay: {told}")


def test_a_mark_can_not_steer_the_terminal(ladder: Path, tmp_path: Path) -> None:
    evil = tmp_path / "evil.jsonl"
    evil.write_text(LEAK.read_text() + '{"record":"mark","time":5720.0,"text":"a\\u001b]0;b\\u0007"}\n')
    done = gearshift("replay", evil, "--ladder", ladder)
    assert r"Mark: a\x1b]0;b\x07" in done.stdout and "\x1b" not in done.stdout


def test_an_error_can_not_steer_the_terminal() -> None:
    done = gearshift("replay", "a\x1b[31m.jsonl")
    assert r"a\x1b[31m.jsonl: No such file" in done.stderr and "\x1b" not in done.stderr


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_full_disk_behind_stdout_is_one_line(ladder: Path, more: tuple[str, ...]) -> None:
    code = "from gearshift.models.commands.cli import main; main()"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code, "replay", LEAK, "--ladder", ladder, *more],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    told = "gearshift: stdout: No space left on device; name a place that can be written\n"
    assert (done.returncode, done.stderr) == (1, told)
