"""Memory pressure as a service manager tells of it."""

import base64
import os
import select
import socket
import stat
from collections.abc import Mapping
from pathlib import Path

from ..samples import Reading


class AlarmProbe:
    """Whether the service manager has told of memory pressure since the last reading; None where none offers to.

    systemd's memory pressure protocol: `$MEMORY_PRESSURE_WATCH` names a pressure file (woken by POLLPRI), a FIFO or a
    socket (POLLIN, what comes is thrown away); `$MEMORY_PRESSURE_WRITE` is written to it first; `/dev/null` turns it
    off. `listen` waits for it, so that a sample can follow at once.
    Raises OSError at construction where the file is named and can't be watched.
    Source: https://systemd.io/MEMORY_PRESSURE/
    """

    name = "alarm"
    pools: tuple[str, ...] = ()

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._file: int | None = None
        self._rung = self._ended = False
        path = environ.get("MEMORY_PRESSURE_WATCH", "")
        if not path or path == os.devnull:
            return
        try:
            first = base64.b64decode(environ.get("MEMORY_PRESSURE_WRITE", ""), validate=True)
        except ValueError as error:
            raise OSError(f"MEMORY_PRESSURE_WRITE is not Base64: {error}") from None
        mode = Path(path).stat().st_mode
        if stat.S_ISSOCK(mode):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
                link.connect(path)
                link.setblocking(False)
                self._file = link.detach()
        else:
            self._file = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        self._reads = not stat.S_ISREG(mode)
        self._events = select.POLLIN if self._reads else select.POLLPRI
        if first:
            try:
                os.write(self._file, first)
            except OSError:
                self.close()
                raise

    @property
    def offered(self) -> bool:
        """Is there something to listen to?"""
        return self._file is not None and not self._ended

    def listen(self, seconds: float, *others: int) -> None:
        """Wait until it rings or one of the other descriptors can be read, for so many seconds at most."""
        watch = select.poll()
        if self._file is not None and not self._ended:
            watch.register(self._file, self._events)
        for other in others:
            watch.register(other, select.POLLIN)
        for file, event in watch.poll(1000 * seconds):
            if file == self._file:
                self._take(event)

    def _take(self, event: int) -> None:
        """A poll takes the news from the kernel, so it is kept here."""
        rung, ended = bool(event & self._events), bool(event & (select.POLLHUP | select.POLLERR | select.POLLNVAL))
        if self._file is not None and rung and self._reads:
            rung, ended = _drain(self._file)
        self._rung, self._ended = self._rung or rung, ended

    def read(self) -> Reading:
        if self.offered:
            self.listen(0.0)
        elif not self._rung:
            return Reading()
        rung, self._rung = self._rung, False
        return Reading(alarm=rung)

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _drain(file: int) -> tuple[bool, bool]:
    """Throw away what has come. Whether there was anything, and whether it has ended."""
    came = False
    try:
        while os.read(file, 4096):
            came = True
    except BlockingIOError:
        return came, False
    except OSError:
        return came, True
    return came, True
