"""Reads recordings back: as lines, as a stream, or whole."""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec
import reactivex
from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, Disposable, SerialDisposable
from reactivex.scheduler import EventLoopScheduler

from ..operators.typing import positive, scheduler_or_none
from .lines import Header, Line, RecordingError, decode, decode_header
from .opening import lines_of
from .samples import Sample

log = logging.getLogger("gearshift.pipeline")

OnBad = Literal["raise", "skip"]


def read_header(path: str | Path) -> Header:
    """The first line of a recording. Raises RecordingError, OSError."""
    first = next(lines_of(Path(path)), b"")
    if not first.strip():
        raise RecordingError(f"{path}: an empty file, not a gearshift recording")
    return decode_header(first, path)


def read_lines(
    path: str | Path, *, on_bad: OnBad = "raise", skipped: Callable[[int, str], object] | None = None
) -> Iterator[Line]:
    """Samples, decisions, residencies and marks of a recording, in the order in which they were written.

    A last line that a crash cut short is left out, and a warning logged. Any other line that can't be read is an
    error, or with `on_bad="skip"` is left out: `skipped` is then called with its number and what is wrong with it.
    Raises RecordingError naming file and line, ImportError for `.zst` without Zstandard, OSError.
    """
    if on_bad not in ("raise", "skip"):
        raise ValueError(f"on_bad must be 'raise' or 'skip', got on_bad={on_bad!r}")
    read_header(path)
    number = 0
    for line in lines_of(Path(path)):
        number += 1
        if number == 1:
            continue
        try:
            yield decode(line)
        except msgspec.MsgspecError as error:
            if not line.strip():
                continue
            if not line.endswith(b"\n"):
                log.warning("%s:%d: the last line was cut short and is left out", path, number)
                return
            if on_bad == "raise":
                text = line[:60].decode(errors="replace").rstrip()
                raise RecordingError(
                    f"{path}:{number}: not a line of a gearshift recording: {error}: {text!r}; "
                    "on_bad='skip' leaves such lines out"
                ) from None
            if skipped is not None:
                skipped(number, str(error))


def replay(
    path: str | Path,
    speed: float | None = None,
    *,
    on_bad: OnBad = "raise",
    scheduler: abc.SchedulerBase | None = None,
) -> Observable[Sample]:
    """The samples of a recording as a cold Observable.

    ::

        file:             s1--s2--s3-----s4|      (event time)
        replay(path):     (s1 s2 s3 s4 |)
        replay(path, 2):  s1-s2-s3--s4|           (wall time)

    Args:
        path: a recording made by `record`; for those of other tools see `load`.
        speed: None: as fast as they can be read, on the subscriber's thread. Else so many seconds of the recording
            pass in one second, on `scheduler`. The samples are the same, and so is all that is decided on them.
        on_bad: what to do with a line that can't be read: "raise", or "skip", which logs how many there were.
        scheduler: where to wait; by default a thread of its own.

    Raises:
        TypeError, ValueError: at construction, naming the parameter.
        FileNotFoundError, RecordingError: by `on_error`, after the samples before the bad line.
    """
    if on_bad not in ("raise", "skip"):
        raise ValueError(f"on_bad must be 'raise' or 'skip', got on_bad={on_bad!r}")
    scheduler_or_none(scheduler)
    samples = reactivex.defer(lambda _: reactivex.from_iterable(_samples(path, on_bad)))
    return samples if speed is None else _paced(path, positive("speed", speed), on_bad, scheduler)


def _samples(path: str | Path, on_bad: OnBad) -> Iterator[Sample]:
    bad: list[int] = []
    for line in read_lines(path, on_bad=on_bad, skipped=lambda number, _: bad.append(number)):
        if type(line) is Sample:
            yield line
    if bad:
        log.warning("%s: %d lines could not be read and were left out, the first is line %d", path, len(bad), bad[0])


def _paced(path: str | Path, speed: float, on_bad: OnBad, scheduler: abc.SchedulerBase | None) -> Observable[Sample]:
    """Each sample when its time has come, counted from the first, so that waits don't add up to a drift."""

    def subscribe(observer: abc.ObserverBase[Sample], given: abc.SchedulerBase | None = None) -> abc.DisposableBase:
        own = EventLoopScheduler() if scheduler is None and given is None else None
        on, timer, samples = scheduler or given or own, SerialDisposable(), _samples(path, on_bad)
        assert on is not None
        begun: tuple[datetime, float] | None = None

        def advance() -> None:
            nonlocal begun
            try:
                sample = next(samples, None)
            except (OSError, ImportError, RecordingError) as error:
                observer.on_error(error)
                return
            if sample is None:
                observer.on_completed()
                return
            begun = begun or (on.now, sample.time)
            left = (sample.time - begun[1]) / speed - (on.now - begun[0]).total_seconds()
            timer.disposable = on.schedule_relative(max(0.0, left), lambda _, __: emit(sample))

        def emit(sample: Sample) -> None:
            observer.on_next(sample)
            advance()

        timer.disposable = on.schedule(lambda _, __: advance())
        return CompositeDisposable(timer, *([Disposable(own.dispose)] if own is not None else []))

    return reactivex.create(subscribe)
