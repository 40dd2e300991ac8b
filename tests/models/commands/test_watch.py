"""`gearshift watch`: what it refuses, and that it runs in a real terminal."""

import signal
from pathlib import Path

import pytest

from .command import gearshift, imported, said
from .terminals import Terminal

_LONG = 300_000  # lines, which take a second or two to read
LEAK = Path(__file__).parents[2] / "recordings" / "leak.jsonl"


@pytest.mark.parametrize("ending", ["q", "\x03"])
def test_a_recording_plays_on_a_terminal_and_ends_when_asked_to(ending: str) -> None:
    with Terminal("watch", LEAK, "--speed", "4") as terminal:
        terminal.until("others ")
        terminal.until("4x")
        terminal.press(ending)
        assert terminal.ended() == 0
        assert "Traceback" not in terminal.seen and "\x1b[?1049l" in terminal.raw


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_gives_the_terminal_back(number: signal.Signals) -> None:
    with Terminal("watch", LEAK) as terminal:
        terminal.until("GiB in use")
        terminal.send(number)
        assert terminal.ended() == 0 and "\x1b[?1049l" in terminal.raw


def test_a_signal_while_it_reads_gives_the_cursor_back(tmp_path: Path) -> None:
    head, *rest = LEAK.read_bytes().splitlines(keepends=True)
    (tmp_path / "slow.jsonl").write_bytes(head + b"".join(rest) * (1 + (_LONG // len(rest))))
    with Terminal("watch", tmp_path / "slow.jsonl") as terminal:
        terminal.until("Reading slow.jsonl")
        terminal.send(signal.SIGTERM)
        assert terminal.ended() == 128 + signal.SIGTERM
        assert "\x1b[?25l" in terminal.raw and terminal.raw.rstrip().rpartition("\x1b[?25")[2][0] == "h"


def test_a_terminal_without_unicode_gets_none() -> None:
    with Terminal("watch", LEAK, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", PYTHONIOENCODING="") as terminal:
        terminal.until("ceiling")
        terminal.press("q")
        assert terminal.ended() == 0 and "#...." in terminal.seen and r"\u00b7" not in terminal.seen


def test_without_colour_no_colour_is_sent() -> None:
    with Terminal("watch", LEAK, NO_COLOR="1") as terminal:
        terminal.until("GiB in use")
        terminal.press("q")
        assert terminal.ended() == 0
        assert not any(f"[{code}m" in terminal.raw or f";{code}m" in terminal.raw for code in (31, 32, 35, 36))


def test_this_machine_is_watched_and_recorded_live(tmp_path: Path) -> None:
    ladder = tmp_path / "ladder.toml"
    ladder.write_text('[[rung]]\nname = "tiny"\nneed = { ram = 1048576 }\n')
    out = tmp_path / "out.jsonl"
    with Terminal(
        "watch", "--ladder", ladder, "--record", out, "--interval", "0.2", XDG_CACHE_HOME=str(tmp_path)
    ) as terminal:
        terminal.until("tiny in pretence")
        terminal.press("q")
        assert terminal.ended() == 0
    text = out.read_text()
    assert '"record":"sample"' in text and '"target":"tiny"' in text and '"interval":0.2' in text.splitlines()[0]


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        ((), 1, "gearshift watch: needs a terminal to draw on"),
        ((LEAK,), 1, "gearshift watch: needs a terminal to draw on"),
        ((LEAK, "--record", "x.jsonl"), 2, "--record and --interval are for watching live"),
        ((LEAK, "--speed", "0"), 2, "--speed must be a number above 0, got 0.0"),
        (("--speed", "2"), 2, "--speed is for playing back"),
        (("--interval", "nan"), 2, "--interval must be a number above 0, got nan"),
    ],
)
def test_wrong_usage_is_refused_in_a_line(args: tuple[str | Path, ...], code: int, words: str) -> None:
    done = gearshift("watch", *args)
    assert done.returncode == code and words in said(done)
    assert not {"torch", "transformers", "textual"} & set(imported(done))


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("nowhere.jsonl",), 1, "nowhere.jsonl: No such file or directory; name a recording that can be read"),
        (("EMPTY",), 1, "an empty file, not a recording"),
        (("HEADER",), 1, "holds no sample, so there is nothing to tell"),
        ((LEAK, "--ladder", "nowhere.toml"), 1, "nowhere.toml: No such file or directory; name a ladder"),
        ((LEAK, "--set", "hihg=1"), 2, "unknown key 'hihg'"),
        ((LEAK, "--set", "high=2"), 2, "high must be a fraction above 0"),
        (("--ladder", "EMPTY"), 1, "holds no rung"),
        (("--record", "nowhere/x.jsonl"), 1, "--record nowhere/x.jsonl: No such file or directory; name a file"),
    ],
)
def test_what_can_not_be_used_is_named_on_a_terminal_too(
    args: tuple[str | Path, ...], code: int, words: str, tmp_path: Path
) -> None:
    (tmp_path / "EMPTY").write_text("")
    (tmp_path / "HEADER").write_text(LEAK.read_text().splitlines(keepends=True)[0])
    given = [tmp_path / arg if arg in ("EMPTY", "HEADER") else arg for arg in args]
    with Terminal("watch", *given, XDG_CACHE_HOME=str(tmp_path), HF_HOME=str(tmp_path), COLUMNS="400") as terminal:
        assert terminal.ended() == code
        assert words in " ".join(terminal.seen.split())
        assert "Traceback" not in terminal.seen and "gearshift watch: " in terminal.seen
