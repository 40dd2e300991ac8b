"""Samples to a file of JSON lines and back."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
import reactivex
from reactivex import Observable, abc
from reactivex import operators as ops

from .lines import VERSION, Header, RecordingError, decode, decode_header, encode
from .samples import Sample


class Recorder:
    """Writes samples to `path`, one JSON line each, flushed so that a crash loses at most the last."""

    def __init__(self, path: str | Path) -> None:
        self._file: BinaryIO = Path(path).open("wb")  # noqa: SIM115 - closed by close()
        self.write(Header(VERSION))

    def write(self, line: Header | Sample) -> None:
        self._file.write(encode(line))
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def record(samples: Observable[Sample], path: str | Path) -> abc.DisposableBase:
    """Write every sample to `path` until the stream ends or the returned disposable is disposed."""
    recorder = Recorder(path)
    return samples.pipe(ops.finally_action(recorder.close)).subscribe(recorder.write)


def read(path: str | Path) -> Iterator[Sample]:
    """The samples of a recording. A last line cut short by a crash is left out; any other bad line is an error."""
    with Path(path).open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                if number == 1:
                    decode_header(line, path)
                else:
                    found = decode(line)
                    if isinstance(found, Sample):
                        yield found
            except msgspec.MsgspecError as error:
                if number > 1 and not line.endswith(b"\n"):
                    return
                raise RecordingError(f"{path}:{number}: not a line of a gearshift recording: {error}") from None
        if file.tell() == 0:
            raise RecordingError(f"{path}: an empty file, not a gearshift recording")


def replay(path: str | Path) -> Observable[Sample]:
    """The samples of a recording as a cold Observable, as fast as they can be read.

    Errors: FileNotFoundError and RecordingError arrive as `on_error`.
    """
    return reactivex.defer(lambda _: reactivex.from_iterable(read(path)))
