"""An app in its group, watched from outside."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from gearshift.models.demo import hog

from .group import MIB, Group

Event = dict[str, Any]
ROOT = Path(__file__).parents[3]
PATIENCE = 180.0  # seconds for anything that is waited for; a busy machine is no failure


class Late(Exception):
    """What was waited for never came."""


class Watched:
    """A process that prints lines of JSON."""

    def __init__(self, command: list[str]) -> None:
        self.events: list[Event] = []
        self._heard = threading.Condition()
        env = {**os.environ, "OMP_NUM_THREADS": "1"}  # threads that wait for each other crawl on a busy machine
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=env
        )
        self.errors: list[str] = []
        self._ears = [
            threading.Thread(target=self._listen, daemon=True),
            threading.Thread(target=self._keep_errors, daemon=True),
        ]
        for ear in self._ears:
            ear.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._take(json.loads(line))
        self._take({"kind": "gone"})

    def _keep_errors(self) -> None:
        assert self._process.stderr is not None
        self.errors.extend(self._process.stderr)

    def _take(self, event: Event) -> None:
        with self._heard:
            self.events.append(event)
            self._heard.notify_all()

    def now(self) -> int:
        """A place in `events`, to wait from."""
        return len(self.events)

    def until(self, kind: str, holds: Callable[[Event], bool] = lambda _: True, *, since: int = 0) -> Event:
        """The first such event from there on. Raises Late."""
        end = time.monotonic() + PATIENCE
        at = since
        with self._heard:
            while True:
                for event in self.events[at:]:
                    if event["kind"] == kind and holds(event):
                        return event
                at = len(self.events)
                gone = bool(self.events) and self.events[-1]["kind"] == "gone"
                if gone or not self._heard.wait(max(0.0, end - time.monotonic())):
                    last = [e for e in self.events if e["kind"] != "sample"][-6:]
                    raise Late(f"no {kind}; the last: {last}; {''.join(self.errors)[-2000:]}")

    def of(self, kind: str, since: int = 0) -> list[Event]:
        return [event for event in self.events[since:] if event["kind"] == kind]

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ends_within(self, seconds: float) -> bool:
        """By itself?"""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self) -> int:
        """Ask it to end; its exit status, and after the patience that of a kill."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            return self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
        finally:
            for ear in self._ears:
                ear.join(PATIENCE)


@contextlib.contextmanager
def app(
    group: Group, ladder: Path, cache: Path, settings: Mapping[str, Any], *, workers: Group | None = None
) -> Iterator[Watched]:
    """The app in `group`; its models' pages are charged to that, whoever had read the files before."""
    forget(ladder.parent)
    command = [sys.executable, "-m", f"{__package__}.app", str(ladder), str(cache), json.dumps(settings)]
    watched = Watched(group.inside([*command, *([str(workers.folder)] if workers else [])]))
    try:
        yield watched
    finally:
        watched.end()


@contextlib.contextmanager
def neighbour(group: Group, size: int, *, rate: int) -> Iterator[None]:
    """Another program in the group: holds `size` bytes, `rate` more each second, or all at once for 0."""
    command = [sys.executable, "-I", "-S", hog.__file__, str(size // MIB), str(rate / MIB)]
    process = subprocess.Popen(group.inside(command), stdin=subprocess.PIPE)
    try:
        yield
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(PATIENCE)


def forget(folder: Path) -> None:
    """Drop the files below from the page cache: a group pays for what it reads first, and for nothing else."""
    for path in folder.rglob("*.safetensors"):
        file = os.open(path, os.O_RDONLY)
        try:
            os.fsync(file)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(file)
