"""The app's end of the fork server: starts it, asks it for workers, hears how they ended."""

import contextlib
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable

import msgspec

from .channel import socket_pair
from .wire import Ended, Fork, FromServer, Kill, Prepare, Ready, ToServer, encode

log = logging.getLogger("gearshift.models")

_MESSAGE = 1 << 16
_PATIENCE = 5.0  # seconds for a server to end by itself
ENVIRONMENT = {
    "MALLOC_MMAP_THRESHOLD_": "131072",  # glibc then gives large blocks back at once
    "TOKENIZERS_PARALLELISM": "false",
    "PYTORCH_NVML_BASED_CUDA_CHECK": "1",  # the imports then leave CUDA asleep, which would not survive a fork
}


class ForkServer:
    """Starts at once, and imports what models need in the background. Thread-safe.

    Args:
        ended: called, from a thread of this server's, with a worker's number and how it ended: its exit code, or minus
            the signal that killed it, or None and a reason where there never was a process. When the server itself
            ends, that is told for each worker left.
        python: the interpreter.

    Raises OSError when the interpreter can't be started.
    """

    def __init__(self, ended: Callable[[int, int | None, str], None], *, python: str) -> None:
        self._ended = ended
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._live: set[int] = set()
        self._prepared: set[str] = set()
        self.ready = threading.Event()
        self._closing = self.over = False
        self._socket, theirs = socket_pair(socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                _command(python, theirs.fileno()),
                stdin=subprocess.DEVNULL,
                stdout=_errors(),
                stderr=_errors(),
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # an interrupt from the terminal is the app's to handle
                env=_environment(),
            )
        self.pid = self._process.pid
        self._thread = threading.Thread(target=self._hear, name="gearshift-workers", daemon=True)
        self._thread.start()

    def fork(self, worker: int, sock: socket.socket) -> None:
        """Have a worker forked that talks over `sock`, which is handed over. No server to do so is told as its end."""
        reason: str | None = None
        with sock, self._lock:
            over = self.over
            if not over:
                try:
                    socket.send_fds(self._socket, [encode(Fork(worker))], [sock.fileno()])
                    self._live.add(worker)
                except ConnectionError:
                    over = True  # and what waits for it already is told on the thread
                except OSError as error:
                    reason = f"could not be asked for: {error.strerror}"
        if over or reason is not None:
            self._ended(worker, None, reason or self._lost())

    def kill(self, worker: int) -> None:
        """Harmless for one that has ended."""
        self._tell(Kill(worker))

    def prepare(self, modules: Iterable[str], tokenizer: str | None) -> None:
        """What a worker had to import, the next shall find imported, and the tokenizer of this folder made."""
        new = tuple(name for name in modules if name not in self._prepared)
        folder = tokenizer if tokenizer not in self._prepared else None
        if new or folder is not None:
            self._prepared.update(new, () if folder is None else (folder,))
            self._tell(Prepare(new, folder))

    def close(self) -> None:
        """End it and all its workers. Idempotent; does nothing in a process that the app forked."""
        if os.getpid() != self._owner:
            return
        with self._lock:
            self._closing = True
            with contextlib.suppress(OSError):  # it may have ended first
                self._socket.shutdown(socket.SHUT_RDWR)
        if not self.ready.is_set():
            self._process.kill()  # it has no worker yet, and hears nothing while it imports
        self._wait()
        if threading.current_thread() is not self._thread:
            self._thread.join()
        self._socket.close()

    def _wait(self) -> int:
        try:
            return self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()  # its workers go with it
            return self._process.wait()

    def _tell(self, message: ToServer) -> None:
        with self._lock, contextlib.suppress(OSError):  # that it has ended is heard on the thread
            self._socket.sendall(encode(message))

    def _hear(self) -> None:
        decode = msgspec.msgpack.Decoder(FromServer).decode
        while data := self._received():
            try:
                message = decode(data)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                log.error("the fork server said what can't be read, and is ended: %s", error)
                self._process.kill()  # its workers go with it, and each is told of as lost
                break
            if isinstance(message, Ready):
                self.ready.set()
            elif isinstance(message, Ended):
                with self._lock:
                    self._live.discard(message.worker)
                self._ended(message.worker, message.status, message.reason)
        with self._lock:
            self.over = True
            left, self._live = self._live, set()
        for worker in left:
            self._ended(worker, None, self._lost())

    def _lost(self) -> str:
        return "" if self._closing else f"lost its fork server, which {told(self._wait())}"

    def _received(self) -> bytes:
        try:
            return self._socket.recv(_MESSAGE)
        except OSError:
            return b""


def told(status: int) -> str:
    """How a process ended, in words.

    >>> told(1), told(-9)
    ('exited with 1', 'was killed by signal 9 (most likely the kernel ran out of memory)')
    """
    if status >= 0:
        return f"exited with {status}"
    import signal

    why = "most likely the kernel ran out of memory" if status == -signal.SIGKILL else signal.strsignal(-status)
    return f"was killed by signal {-status} ({why})"


def _command(python: str, handed: int) -> list[str]:
    level = logging.getLogger("gearshift").getEffectiveLevel()
    return [python, "-P", "-m", f"{__package__}.server", str(handed), str(os.getpid()), str(level)]


def _environment() -> dict[str, str]:
    """The app's, and the way to what the app can import."""
    path = os.pathsep.join(each for each in sys.path if isinstance(each, str))
    return {**os.environ, **ENVIRONMENT, "PYTHONPATH": path}


def _errors() -> int:
    """Where the app's errors go, if anywhere."""
    try:
        os.fstat(2)
    except OSError:
        return subprocess.DEVNULL
    return 2
