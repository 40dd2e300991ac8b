"""Reads recordings back: as lines, as a stream, or whole."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec
import reactivex
from reactivex import Observable, abc
from reactivex.disposable import Disposable, SerialDisposable

from ..operators.typing import positive, scheduler_or_none
from .lines import Header, Line, RecordingError, decode, decode_header
from .opening import lines_of
from .samples import Sample

log = logging.getLogger("gearshift.pipeline")

OnBad = Literal["raise", "skip"]
_LONGEST_WAIT = 3600.0


def check_on_bad(on_bad: OnBad) -> None:
    """Raises ValueError for anything but "raise" and "skip"."""
    if on_bad not in ("raise", "skip"):
        raise ValueError(f"on_bad must be 'raise' or 'skip', got on_bad={on_bad!r}")


def read_recording(
    path: str | Path, *, on_bad: OnBad = "raise", skipped: Callable[[int, str], object] | None = None
) -> tuple[Header, Iterator[Line]]:
    """The header, and then all lines in the order in which they were written.

    A last line that a crash cut short is left out, and a warning logged. Any other line that can't be read is an
    error, or with `on_bad="skip"` is left out: `skipped` is then called with its number and what is wrong with it.
    Raises RecordingError naming file and line, ImportError for `.zst` without Zstandard, OSError.
    """
    check_on_bad(on_bad)
    lines = lines_of(Path(path))
    first = next(lines, b"")
    if not first.strip():
        raise RecordingError(f"{path}:1: an empty file, not a gearshift recording")
    return decode_header(first, path), _rest(path, lines, on_bad, skipped)


def _rest(
    path: str | Path, lines: Iterator[bytes], on_bad: OnBad, skipped: Callable[[int, str], object] | None
) -> Iterator[Line]:
    for number, line in enumerate(lines, 2):
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
        FileNotFoundError, RecordingError: by `on_error`, after the samples before the bad line. At a speed, on the
            default thread, so arrives whatever the subscriber raises.

    >>> samples = []
    >>> _ = replay("tests/recordings/leak.jsonl").subscribe(samples.append)
    >>> len(samples), round(samples[-1].time - samples[0].time), samples[0].pools["ram"].external >> 20
    (97, 48, 564)
    """
    check_on_bad(on_bad)
    scheduler_or_none(scheduler)
    samples = reactivex.defer(lambda _: reactivex.from_iterable(_samples(path, on_bad)))
    return samples if speed is None else _paced(path, positive("speed", speed), on_bad, scheduler)


def _samples(path: str | Path, on_bad: OnBad) -> Iterator[Sample]:
    bad: list[int] = []
    _, lines = read_recording(path, on_bad=on_bad, skipped=lambda number, _: bad.append(number))
    for line in lines:
        if type(line) is Sample:
            yield line
    if bad:
        log.warning("%s: %d lines could not be read and were left out, the first is line %d", path, len(bad), bad[0])


def _paced(path: str | Path, speed: float, on_bad: OnBad, scheduler: abc.SchedulerBase | None) -> Observable[Sample]:
    """Each sample when its time has come, counted from the first, so that waits don't add up to a drift."""

    def subscribe(observer: abc.ObserverBase[Sample], given: abc.SchedulerBase | None = None) -> abc.DisposableBase:
        on, samples = scheduler or given, _samples(path, on_bad)
        if on is None:
            return _from_a_thread(samples, speed, observer)
        return _from_a_scheduler(samples, speed, observer, on)

    return reactivex.create(subscribe)


def _from_a_thread(samples: Iterator[Sample], speed: float, observer: abc.ObserverBase[Sample]) -> abc.DisposableBase:
    stop = threading.Event()

    def run() -> None:
        begun: tuple[float, float] | None = None
        try:
            for sample in samples:
                begun = begun or (time.monotonic(), sample.time)
                while (left := (sample.time - begun[1]) / speed - (time.monotonic() - begun[0])) > 0:
                    if stop.wait(min(left, _LONGEST_WAIT)):
                        return
                observer.on_next(sample)
                if stop.is_set():
                    return
            observer.on_completed()
        except Exception as error:  # noqa: BLE001 - else the thread would end without a word
            observer.on_error(error)

    threading.Thread(target=run, name="gearshift-replay", daemon=True).start()
    return Disposable(stop.set)


def _from_a_scheduler(
    samples: Iterator[Sample], speed: float, observer: abc.ObserverBase[Sample], on: abc.SchedulerBase
) -> abc.DisposableBase:
    timer = SerialDisposable()
    begun: tuple[datetime, float] | None = None

    def advance() -> None:
        nonlocal begun
        try:
            sample = next(samples, None)
            if sample is None:
                observer.on_completed()
                return
            begun = begun or (on.now, sample.time)
            left = (sample.time - begun[1]) / speed - (on.now - begun[0]).total_seconds()
            timer.disposable = on.schedule_relative(max(0.0, left), lambda _, __: emit(sample))
        except Exception as error:  # noqa: BLE001 - as above
            observer.on_error(error)

    def emit(sample: Sample) -> None:
        observer.on_next(sample)
        if not timer.is_disposed:
            advance()

    timer.disposable = on.schedule(lambda _, __: advance())
    return timer
