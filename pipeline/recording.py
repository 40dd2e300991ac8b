"""Writes samples, and what was decided on them, to a file of JSON lines."""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

from reactivex import Observable
from reactivex.disposable import CompositeDisposable, Disposable

from ..operators.typing import whole
from .lines import Header, Line, Mark, RecordingError, encode
from .machine import header_of_this_machine
from .opening import check_writable, open_to_write
from .replaying import read_recording
from .rungs import Residency, Rung
from .samples import Sample
from .settings import Settings
from .words import Asked, Decision, Performed

log = logging.getLogger("gearshift.pipeline")


class Recorder:
    """Writes lines to `path`, each handed to the system at once, so that a crash loses at most the last. Thread-safe.

    A path that ends in `.zst` is compressed by Zstandard. Beyond `max_bytes` bytes (None: never) the file is moved to
    `name.1.jsonl`, that one to `name.2.jsonl` and so on, up to `keep`, at least 0, and the oldest beyond that is
    deleted; each begins with the header (by default this machine's) and can be read alone. A file that is there already
    is moved in the same way.
    Raises TypeError and ValueError for limits that can't be, OSError from any call where the disk refuses, and
    ImportError for `.zst` without Zstandard.
    """

    def __init__(
        self, path: str | Path, *, header: Header | None = None, max_bytes: int | None = None, keep: int = 5
    ) -> None:
        self.max_bytes = None if max_bytes is None else whole("max_bytes", max_bytes, least=1)
        self.path, self.keep = Path(path), whole("keep", keep, least=0)
        check_writable(self.path)
        self._header = encode(header or header_of_this_machine())
        self._lock = threading.Lock()
        self._closed = False
        if self.path.is_dir():
            raise IsADirectoryError(f"{self.path} is a folder; name a file in it")
        if self.path.is_file() and self.path.stat().st_size > 0:
            self._set_aside()
        self._begin()

    def write(self, line: Line) -> None:
        """Append a `line`: a sample, decision, residency, mark, or what was asked. Raises ValueError after `close`."""
        text = encode(line)
        with self._lock:
            if self._closed:
                raise ValueError(f"{self.path}: this recorder is closed")
            if self.max_bytes is not None and self._lines and self._file.size() + len(text) > self.max_bytes:
                self._closed = True  # until the next part is begun
                self._file.close()
                self._shift()
                self._begin()
                self._closed = False
            self._file.write(text)
            self._lines += 1

    def close(self) -> None:
        """End the file. Harmless when it is closed."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._file.close()

    def _set_aside(self) -> None:
        """Move what is there already; with keep=0 it is overwritten, but nothing that is no recording."""
        if self.keep == 0:
            try:
                read_recording(self.path)
            except RecordingError:
                raise FileExistsError(
                    f"{self.path} is there and no recording; with keep=0 it would be lost: remove it or name another"
                ) from None
        self._shift()

    def _begin(self) -> None:
        file = open_to_write(self.path)
        try:
            file.write(self._header)
        except BaseException:
            file.abandon()
            raise
        self._file, self._lines = file, 0

    def _shift(self) -> None:
        for number in range(self.keep - 1, 0, -1):
            if self._numbered(number).exists():
                self._numbered(number).replace(self._numbered(number + 1))
        if self.keep:
            self.path.replace(self._numbered(1))

    def _numbered(self, number: int) -> Path:
        ending = "".join(self.path.suffixes[-2:] if self.path.suffix == ".zst" else self.path.suffixes[-1:])
        return self.path.with_name(f"{self.path.name.removesuffix(ending)}.{number}{ending}")


def record(
    samples: Observable[Sample],
    path: str | Path,
    *,
    decisions: Observable[Decision] | None = None,
    residencies: Observable[Residency] | None = None,
    marks: Observable[Mark] | None = None,
    asked: Observable[Asked | Performed] | None = None,
    ladder: Sequence[Rung] = (),
    settings: Settings | None = None,
    max_bytes: int | None = None,
    keep: int = 5,
) -> CompositeDisposable:
    """Write every sample to `path`, and all the rest among them, until the samples end.

    A stream that fails, or a disk that refuses, ends the recording and is logged, once; so does a file that somebody
    deletes, replaces or cuts. The samples go on for others, and what was written can be read to the last whole line.

    With residencies, and what was asked for if anything was, a replay gives the very decisions that were made, provided
    that this is subscribed to the samples before what decides on them: else a decision stands before its sample.

    Args:
        samples, decisions, residencies, marks, asked: what to write, in the order in which it comes.
        path: the file; `.zst` at its end compresses it (needs `gearshift[zstd]` before Python 3.14).
        ladder, settings: what the decisions are made by, kept in the header beside machine and tier.
        max_bytes: bytes after which a new file is begun, the one before kept as `name.1.jsonl`; by default never.
        keep: how many earlier files are kept, at least 0.

    Returns:
        What ends the recording when it is disposed, and is disposed when the recording has ended of itself.

    Raises:
        OSError: when the file can't be begun. ValueError, TypeError: for limits that can't be.

    >>> import reactivex, tempfile
    >>> from gearshift.pipeline import Pool, load
    >>> samples = [Sample(float(t), {"ram": Pool(total=16 << 30, used=t << 30)}) for t in range(3)]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with record(reactivex.from_iterable(samples), f"{folder}/run.jsonl"):
    ...         pass  # samples come until the recording is disposed of, or they end
    ...     load(f"{folder}/run.jsonl").samples == samples
    True
    """
    header = header_of_this_machine(ladder=ladder, settings=settings)
    recorder = Recorder(path, header=header, max_bytes=max_bytes, keep=keep)

    told = threading.Lock()  # taken for good by who tells of the first failure: what follows from it is no news

    def close() -> None:
        try:
            recorder.close()
        except OSError as error:
            if told.acquire(blocking=False):
                log.error("the recording %s lacks its end: %s", recorder.path, error)

    wires = CompositeDisposable(Disposable(close))

    def failed(error: Exception) -> None:
        if told.acquire(blocking=False):
            log.error("the recording %s ends here: %s", recorder.path, error)
        wires.dispose()

    def write(line: Line) -> None:
        if wires.is_disposed:
            return
        try:
            recorder.write(line)
        except (OSError, ValueError) as error:
            if not wires.is_disposed:  # else it was closed while this line was on its way
                failed(error)

    for beside in (decisions, residencies, marks, asked):
        if beside is not None:
            wires.add(beside.subscribe(write, failed))
    wires.add(samples.subscribe(write, failed, wires.dispose))
    return wires
