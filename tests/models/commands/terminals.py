"""A terminal with the command in it, typed at as people do."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

_STEERING = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\r")


class Terminal:
    """`gearshift` in a pseudo-terminal of 80 columns. seen: all that it showed, without what steers the cursor.
    raw: with it."""

    def __init__(self, *args: str | Path, **more: str) -> None:
        ours, theirs = pty.openpty()
        env = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "24", "INPUTRC": os.devnull, **more}
        code = "from gearshift.models.commands.cli import main; main()"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, args)],
            stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True, preexec_fn=_own_terminal,
        )  # fmt: skip
        os.close(theirs)
        self._ours, self._bytes, self.seen, self.raw, self._found = ours, b"", "", "", 0

    def until(self, *texts: str, seconds: float = 60.0) -> None:
        """Read on until one of these comes, after the one that was found last."""
        end = time.monotonic() + seconds
        while not (found := [self.seen.index(t, self._found) + len(t) for t in texts if t in self.seen[self._found :]]):
            if time.monotonic() > end or not self._read(0.5):
                raise AssertionError(f"{texts} never came; the terminal shows:\n{self.seen}")
        self._found = min(found)

    def interrupt(self) -> None:
        """Ctrl-C at a prompt, once readline waits there: one that comes just before is kept for the next key."""
        time.sleep(0.5)
        self.press("\x03")

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def send(self, number: int) -> None:
        """A signal to the command itself."""
        self._process.send_signal(number)

    def ended(self, seconds: float = 30.0) -> int:
        """The exit code, once all was shown."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._read(0.5):
            pass
        return self._process.wait(max(1.0, end - time.monotonic()))

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._ours)

    def _read(self, seconds: float) -> bool:
        """False when it has ended."""
        if not select.select([self._ours], [], [], seconds)[0]:
            return True
        try:
            read = os.read(self._ours, 1 << 16)
        except OSError:  # nobody is at the other end any more
            return False
        self._bytes += read  # which may end within a character, or within what steers
        self.raw = self._bytes.decode(errors="replace")
        self.seen = _STEERING.sub("", self.raw)
        return bool(read)


def _own_terminal() -> None:
    import fcntl
    import termios

    signal.signal(signal.SIGINT, signal.SIG_DFL)  # whatever the tests were started from ignores
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
