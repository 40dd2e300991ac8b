"""`gearshift watch`: what it refuses, and that it runs in a real terminal."""

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .command import gearshift, imported, said

LEAK = Path(__file__).parents[1] / "recordings" / "leak.jsonl"


class Terminal:
    """The command on a terminal of 80 by 24."""

    def __init__(self, *args: str | Path, **more: str) -> None:
        self._end, other = pty.openpty()
        code = "from gearshift.models.commands.cli import main; main()"
        env = {**os.environ, "COLUMNS": "80", "LINES": "24", "TERM": "xterm", **more}
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, args)], stdin=other, stdout=other, stderr=other, env=env,
            start_new_session=True,
        )  # fmt: skip
        os.close(other)
        self.seen = ""

    def until(self, text: str) -> None:
        """Read on until that is there. Raises AssertionError after half a minute."""
        end = time.monotonic() + 30
        while text not in self.seen:
            left = end - time.monotonic()
            assert left > 0 and select.select([self._end], [], [], left)[0], self.seen[-2000:]
            try:
                self.seen += os.read(self._end, 65536).decode(errors="replace")
            except OSError:
                raise AssertionError(self.seen[-2000:]) from None

    def press(self, keys: str) -> None:
        os.write(self._end, keys.encode())

    def ended(self) -> int:
        """Its exit code; what is left of its output is read."""
        while self.process.poll() is None:
            if select.select([self._end], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self._end, 65536).decode(errors="replace")
                except OSError:
                    break
        return self.process.wait(30)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._end)


@pytest.mark.parametrize("ending", ["q", "\x03"])
def test_a_recording_plays_on_a_terminal_and_ends_when_asked_to(ending: str) -> None:
    terminal = Terminal("watch", LEAK, "--speed", "4")
    try:
        terminal.until("others ")
        terminal.until("4x")
        terminal.press(ending)
        assert terminal.ended() == 0
        assert "Traceback" not in terminal.seen and "\x1b[?1049l" in terminal.seen
    finally:
        terminal.close()


def test_without_colour_no_colour_is_sent() -> None:
    terminal = Terminal("watch", LEAK, NO_COLOR="1")
    try:
        terminal.until("GiB in use")
        terminal.press("q")
        assert terminal.ended() == 0
        assert not any(f"[{code}m" in terminal.seen or f";{code}m" in terminal.seen for code in (31, 32, 35, 36))
    finally:
        terminal.close()


def test_this_machine_is_watched_and_recorded_live(tmp_path: Path) -> None:
    ladder = tmp_path / "ladder.toml"
    ladder.write_text('[[rung]]\nname = "tiny"\nneed = { ram = 1048576 }\n')
    out = tmp_path / "out.jsonl"
    terminal = Terminal("watch", "--ladder", ladder, "--record", out, "--interval", "0.2", XDG_CACHE_HOME=str(tmp_path))
    try:
        terminal.until("tiny in pretence")
        terminal.press("q")
        assert terminal.ended() == 0
    finally:
        terminal.close()
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
        (("HEADER",), 1, "holds no sample, so there is nothing to watch"),
        ((LEAK, "--ladder", "nowhere.toml"), 1, "nowhere.toml: No such file or directory; name a ladder"),
        ((LEAK, "--set", "hihg=1"), 2, "unknown key 'hihg'"),
        ((LEAK, "--set", "high=2"), 2, "high must be above 0"),
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
    terminal = Terminal("watch", *given, XDG_CACHE_HOME=str(tmp_path), HF_HOME=str(tmp_path), COLUMNS="400")
    try:
        assert terminal.ended() == code
        terminal.until(words)
        assert "Traceback" not in terminal.seen and "gearshift watch: " in terminal.seen
    finally:
        terminal.close()
