import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .command import gearshift, said
from .terminals import Terminal

ENDLESS = ("--max-tokens", "100000")


@pytest.fixture
def file(tmp_path: Path, checkpoints: dict[str, Path]) -> Path:
    made = tmp_path / "ladder.toml"
    made.write_text(
        "".join(f'[[rung]]\nname = "{n}"\nsource = "{checkpoints[n]}"\ncontext = 2048\n' for n in ("large", "small"))
    )
    return made


@pytest.fixture
def crowded(tmp_path: Path) -> Path:
    """Tiers by which nothing fits."""
    made = tmp_path / "tiers.toml"
    made.write_text('[[tier]]\nname = "only"\nhigh = 0.0002\nhysteresis = 0.0001\ncritical = 0.0003\n')
    return made


def piped(questions: str, *args: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from gearshift.models.commands.cli import main; main()", "chat"]
    env = {**os.environ, "GEARSHIFT_TIERS": "", **more}
    return subprocess.run([*command, *args], input=questions, capture_output=True, text=True, env=env, check=False)


def test_piped_lines_are_questions_and_only_answers_go_to_stdout(file: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    asked = f"One?\n\n/rung\n/sav x\nTwo?\n/save {kept}\n"
    done = piped(asked, "--ladder", file, "--max-tokens", "8", "-v", XDG_CACHE_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    turns = json.loads(kept.read_text())["conversations"]["default"]
    assert [turn["content"] for turn in turns[::2]] == ["One?", "Two?"]
    assert done.stdout == "".join(turn["content"] + "\n" for turn in turns[1::2])
    assert set(done.stdout) <= set("abc \n")
    for told in (
        "Shift up from nothing to large", "loaded large in", "> large ", "/sav is unknown; did you mean /save?",
        "stopped at 8 tokens", f"kept in {kept}",
    ):  # fmt: skip
        assert told in done.stderr, told


def test_without_verbose_nothing_is_said_of_a_load(file: Path, tmp_path: Path) -> None:
    done = piped("One?\n/quit\nTwo?\n", "--ladder", file, "--max-tokens", "4", XDG_CACHE_HOME=str(tmp_path))
    assert (done.returncode, done.stderr.count("Shift")) == (0, 0)


def test_a_question_that_no_rung_can_answer_is_a_sentence_and_exit_code_1(
    file: Path, crowded: Path, tmp_path: Path
) -> None:
    done = piped("One?\nTwo?\n", "--ladder", file, GEARSHIFT_TIERS=str(crowded), XDG_CACHE_HOME=str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("[No answer: Load nothing, ") == 2
    assert "Traceback" not in done.stderr


def test_a_reply_that_takes_too_long_is_told_and_the_next_question_is_asked(file: Path, tmp_path: Path) -> None:
    done = piped("One?\nTwo?\n", "--ladder", file, "--timeout", "0.01", *ENDLESS, XDG_CACHE_HOME=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.count("the reply took longer than its timeout of 0.01 s") == 2


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--ladder", "absent.toml"], "gearshift chat: absent.toml: can't be read"),
        (["--timeout", "0"], "gearshift chat: --timeout: timeout must be seconds above 0"),
    ],
)
def test_what_cannot_be_used_is_one_line(args: list[str], told: str) -> None:
    done = gearshift("chat", *args)
    assert done.returncode in (1, 2) and done.stdout == ""
    assert said(done).startswith(told)


def test_what_was_kept_and_is_no_conversation_is_one_line(file: Path, tmp_path: Path) -> None:
    done = piped("", "--ladder", file, "--restore", file, XDG_CACHE_HOME=str(tmp_path))
    assert done.returncode == 1 and done.stderr.startswith(f"gearshift chat: {file}: damaged")


def test_the_prompt_names_the_rung_and_an_interrupt_keeps_what_was_said(file: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    with Terminal("chat", "--ladder", file, *ENDLESS, XDG_CACHE_HOME=str(tmp_path)) as terminal:
        terminal.until("large > ")
        terminal.press("Hello\n")
        terminal.until("a", "b", "c")
        terminal.press("\x03")
        terminal.until("[cancelled; what was said is kept]")
        terminal.until("large > ")
        terminal.press(f"/save {kept}\n")
        terminal.until("large > ")
        question, answer = json.loads(kept.read_text())["conversations"]["default"]
        assert question["content"] == "Hello" and answer["content"]
        terminal.press(f"/new\n/restore {kept}\n")
        terminal.until("restored, with 1 question")
        terminal.press("\x04")
        assert terminal.ended() == 0
    assert "Traceback" not in terminal.seen


def test_two_interrupts_end_it_and_one_at_the_prompt_does_not(file: Path, tmp_path: Path) -> None:
    with Terminal("chat", "--ladder", file, XDG_CACHE_HOME=str(tmp_path)) as terminal:
        terminal.until("large > ")
        terminal.interrupt()
        terminal.until("Ctrl-C again")
        terminal.until("large > ")
        terminal.press("/help\n")
        terminal.until("/quit")
        terminal.until("large > ")
        terminal.interrupt()
        terminal.until("large > ")
        terminal.interrupt()
        assert terminal.ended() == 0
    assert "Traceback" not in terminal.seen


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["told to end", "its terminal is closed"])
def test_a_signal_ends_it_in_good_order(file: Path, tmp_path: Path, number: signal.Signals) -> None:
    with Terminal("chat", "--ladder", file, *ENDLESS, XDG_CACHE_HOME=str(tmp_path)) as terminal:
        terminal.until("large > ")
        terminal.press("Hello\n")
        terminal.until("a", "b", "c")
        terminal.send(number)
        assert terminal.ended() == 128 + number
    assert list((tmp_path / "gearshift" / "running").iterdir()) == []
    assert "Traceback" not in terminal.seen
