"""A file that an app leaves behind only when it ends uncleanly: it names the rung that memory ran out with."""

import hashlib
import logging
import os
import uuid
from pathlib import Path
from typing import Annotated

import msgspec
import psutil

from ...pipeline.reading import NOTED, read_whole
from ...pipeline.replacing import private_folder, replace_file
from ..ladders.ladder import CACHE, Ladder

log = logging.getLogger("gearshift.models")

_SAME = 0.1  # seconds; the kernel counts them in hundredths


class _Mark(msgspec.Struct, frozen=True):
    pid: Annotated[int, msgspec.Meta(gt=0, lt=2**31)]
    began: float
    ladder: str
    rung: str


class CrashMarker:
    """For an app that runs this ladder.

    `note` writes the marker, and removes it when nothing is loaded, so a clean end leaves none. Where the folder
    can't be written, that is logged once and nothing is marked. Folder and marker are for this user alone.

    Args:
        folder: of all apps' markers; `running` in the user's cache folder by default.
    """

    def __init__(self, ladder: Ladder, folder: Path | None = None) -> None:
        self._folder = folder if folder is not None else CACHE / "running"
        self._ladder = hashlib.sha256(msgspec.json.encode(ladder.specs)).hexdigest()[:16]
        self._file = self._folder / f"{os.getpid()}-{uuid.uuid4().hex[:8]}.json"
        self._began = _began(psutil.Process())
        self._written: str | None = None
        self._warned = False

    def note(self, rung: str | None) -> None:
        """From now on it is `rung` that memory could run out with. Atomic."""
        if rung == self._written:
            return
        try:
            if rung is None:
                self._file.unlink(missing_ok=True)
            else:
                private_folder(self._folder)
                mark = _Mark(os.getpid(), self._began, self._ladder, rung)
                replace_file(self._file, msgspec.json.encode(mark), private=True)
        except OSError as error:
            if not self._warned:
                log.warning("no crash marker: %s can't be written (%s)", self._folder, error.strerror)
            self._warned = True
            return
        self._written = rung

    def previous(self) -> str | None:
        """The rung of the latest app with this ladder that ended uncleanly. All such markers are used up by this."""
        left: list[tuple[float, str]] = []
        for file in self._folder.glob("*.json"):
            try:
                mark, written = msgspec.json.decode(read_whole(file, NOTED), type=_Mark), file.stat().st_mtime
                if mark.ladder != self._ladder or _runs(mark):
                    continue
                file.unlink()  # of two apps that start together, one finds it
            except FileNotFoundError:
                continue
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                self._remove(file, error)
                continue
            except OSError as error:
                log.warning("the crash marker %s can't be used: %s", file, error.strerror)
                continue
            left.append((written, mark.rung))
        return max(left)[1] if left else None

    @staticmethod
    def _remove(file: Path, damage: Exception) -> None:
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            log.warning("the crash marker %s can't be read (%s), nor removed (%s)", file, damage, error.strerror)
        else:
            log.warning("the crash marker %s is removed, as it can't be read: %s", file, damage)

    def close(self) -> None:
        """A clean end. Idempotent."""
        self.note(None)


def _began(process: psutil.Process) -> float:
    """Seconds after the start of the machine: the same whatever the clock on the wall is set to meanwhile."""
    return process.create_time() - psutil.boot_time()


def _runs(mark: _Mark) -> bool:
    try:
        process = psutil.Process(mark.pid)
        ended = process.status() == psutil.STATUS_ZOMBIE  # its parent has not asked how yet
        return not ended and abs(_began(process) - mark.began) < _SAME
    except psutil.NoSuchProcess:
        return False
