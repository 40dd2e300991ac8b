"""What `gearshift record` does: samples to a file until it is told to end, and a line that tells how far it is."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Literal, NamedTuple

import msgspec
import typer
from reactivex import Observable, Subject
from rich.console import Console

from ...pipeline.lines import Mark
from ...pipeline.recording import record
from ...pipeline.samples import Sample
from ...pipeline.scaler import ProactiveScaler
from ...pipeline.settings import Settings
from ...pipeline.sources import event_time
from ...pipeline.tiers import machine_settings
from ...pipeline.words import Decision, counted, duration, gib
from .ending import asked_to_end
from .ladder_input import rungs_in
from .plain import plain
from .typed_lines import TypedLines

_HINT = "Ctrl-C ends it; a line that you type becomes a mark"
_LOOK = 0.25
"""Seconds between two looks at whether it is to end."""


class Wanted(msgspec.Struct, frozen=True):
    """seconds: to record for, None until it is ended. interval: seconds between samples, None as the tier says."""

    out: Path
    seconds: float | None = None
    interval: float | None = None
    max_bytes: int | None = None
    keep: int = 5

    def __post_init__(self) -> None:
        if self.interval is not None:
            Settings(interval=self.interval)  # raises what is wrong with it


class Done(NamedTuple):
    """What was recorded. end: why it ended. bytes: of the last file."""

    out: Path
    end: Literal["time", "interrupted", "failed"]
    seconds: float
    samples: int
    decisions: int
    marks: int
    bytes: int


class _Counts:
    """Counts what comes, and keeps the last sample. Each is told from one thread."""

    def __init__(self) -> None:
        self.samples = self.decisions = self.marks = 0
        self.last: Sample | None = None

    def sample(self, sample: Sample) -> None:
        self.samples, self.last = self.samples + 1, sample

    def decision(self, _: Decision) -> None:
        self.decisions += 1

    def mark(self, _: Mark) -> None:
        self.marks += 1


def run(wanted: Wanted, ladder: Path | None) -> Done:
    """Record until the time is over, a signal comes, or the disk refuses. Raises ValueError, OSError, ImportError."""
    rungs = rungs_in(ladder) if ladder is not None else []
    settings = machine_settings() if wanted.interval is None else machine_settings(interval=wanted.interval)
    scaler, marks, counts = ProactiveScaler(rungs, settings, dry_run=True), Subject[Mark](), _Counts()
    scaler.samples.subscribe(counts.sample)
    scaler.decisions.subscribe(counts.decision)
    marks.subscribe(counts.mark)
    recording = record(
        scaler.samples, wanted.out, decisions=scaler.decisions, marks=marks, ladder=rungs, settings=settings,
        max_bytes=wanted.max_bytes, keep=wanted.keep,
    )  # fmt: skip
    begun, end = time.monotonic(), "interrupted"
    with recording, _signals() as told, TypedLines() as lines, _line(scaler, marks, begun) as show, scaler:
        while not told:
            passed = time.monotonic() - begun
            left = _LOOK if wanted.seconds is None else wanted.seconds - passed
            if left <= 0 or recording.is_disposed:
                end = "time" if left <= 0 else "failed"
                break
            for text in lines.within(min(left, _LOOK)):
                marks.on_next(Mark(event_time(), text))
            show(f"{wanted.out.name}: {_progress(counts, passed, _size(wanted.out))}", lines.typing)
    seconds = time.monotonic() - begun
    return Done(wanted.out, end, seconds, counts.samples, counts.decisions, counts.marks, _size(wanted.out))


def show(done: Done, *, as_json: bool) -> None:
    """What was recorded and where, for people or as one object in bytes and seconds."""
    if as_json:
        typer.echo(json.dumps({**done._asdict(), "out": str(done.out)}, indent=2))
        return
    beside = [counted(n, what) for n, what in ((done.decisions, "decision"), (done.marks, "mark")) if n]
    kept = " and ".join([", ".join([counted(done.samples, "sample"), *beside[:-1]]), *beside[-1:]])
    cut = ", and then the disk refused" if done.end == "failed" else ""
    typer.echo(f"{plain(str(done.out))}: {kept} over {duration(done.seconds)}, {_told(done.bytes)}{cut}")


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Those that came, of the ones that ask to end."""
    told: list[int] = []

    def end(number: int, _: FrameType | None) -> None:
        told.append(number)

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, *asked_to_end())}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _line(scaler: ProactiveScaler, marks: Observable[Mark], begun: float) -> Iterator[Callable[[str, str], None]]:
    """A line on stderr that is written anew, below decisions and marks; nothing where that is no terminal."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda _progress, _typing: None
        return

    def tell(what: str, style: str = "") -> None:
        console.print(plain(f"{duration(time.monotonic() - begun)}  {what}", style))

    with (
        console.status(plain("Taking the first sample …")) as status,
        scaler.decisions.subscribe(lambda decision: tell(decision.explain())),
        marks.subscribe(lambda mark: tell(f"Mark: {mark.text}", "dim")),
    ):
        yield lambda progress, typing: status.update(plain(f"{progress}\n  {f'mark: {typing}_' if typing else _HINT}"))


def _progress(counts: _Counts, passed: float, size: int) -> str:
    pool = counts.last.pools.get("ram") if counts.last is not None else None
    ram = "" if pool is None else f"; RAM {pool.used / pool.total:.0%} of {gib(pool.total)}"
    return f"{counted(counts.samples, 'sample')}, {duration(passed)}, {_told(size)}{ram}"


def _told(size: int) -> str:
    return f"{size / 2**20:.1f} MiB" if size >= 2**20 else f"{size / 2**10:.1f} KiB"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # between two parts, or it was taken away, which is told of elsewhere
        return 0
