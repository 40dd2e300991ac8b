"""The fork server: has torch and transformers imported, and forks a worker whenever the app asks for one.

A server of our own, since workers of multiprocessing's import the app's `__main__` again: an app without a guard
around its start would start anew in each. This one has a single thread of its own and runs no step of torch, so that
a fork is safe; it ends, and its workers with it, when the app does.
"""

import gc
import importlib
import logging
import os
import select
import signal
import socket
import sys
import traceback

import msgspec

from ..engine.tokenizing import keep_tokenizer
from . import worker
from .wire import Ended, Fork, Kill, Prepare, Ready, ToServer, encode

log = logging.getLogger("gearshift.models")

_decode = msgspec.msgpack.Decoder(ToServer).decode
_MESSAGE = 1 << 16
_NOISY = ("torchao", "torch.utils._pytree")  # they warn of GPU kernels that are not for this machine


class _AppEnded(Exception):
    pass


class Server:
    """`app`: the app's process id, watched besides the socket, which a process that the app forked may hold open."""

    def __init__(self, sock: socket.socket, app: int) -> None:
        self._socket = sock
        self._app = _watch(app)
        self._pids: dict[int, int] = {}  # to a worker's number
        self._woken, self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def run(self) -> None:
        """Serve until the app ends."""
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        poll = select.poll()
        for watched in (self._socket.fileno(), self._woken, *([self._app] if self._app is not None else [])):
            poll.register(watched, select.POLLIN)
        try:
            self._tell(Ready())
            while True:
                for ready, _ in poll.poll():
                    self._act(ready)
                self._reap()
        except (_AppEnded, OSError) as error:
            log.debug("the fork server ends: %s", error)
        finally:
            self._end()

    def _act(self, ready: int) -> None:
        if ready == self._woken:
            os.read(self._woken, 512)
        elif ready == self._app:
            raise _AppEnded
        else:
            self._hear()

    def _hear(self) -> None:
        data, handed, _, _ = socket.recv_fds(self._socket, _MESSAGE, 1)
        if not data:
            raise _AppEnded
        message = _decode(data)
        if isinstance(message, Fork) and not handed:
            self._tell(Ended(message.worker, None, "could not be forked: too many files are open in its server"))
        elif isinstance(message, Fork):
            self._fork(message.worker, socket.socket(fileno=handed[0]))
        elif isinstance(message, Kill):
            for pid in [pid for pid, number in self._pids.items() if number == message.worker]:
                os.kill(pid, signal.SIGKILL)
        else:
            _prepare(message)

    def _fork(self, number: int, sock: socket.socket) -> None:
        server = os.getpid()
        with sock:
            try:
                pid = os.fork()
            except OSError as error:
                self._tell(Ended(number, None, f"could not be forked: {error.strerror}"))
                return
            if pid == 0:
                self._become_worker(sock, server)
        self._pids[pid] = number

    def _become_worker(self, sock: socket.socket, server: int) -> None:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for inherited in (self._woken, self._wake, *([self._app] if self._app is not None else [])):
                os.close(inherited)
            self._socket.close()
            worker.main(sock, server)
        except BaseException:  # noqa: BLE001 - nothing of the server may run on in a worker
            traceback.print_exc()
        finally:
            os._exit(1)

    def _reap(self) -> None:
        while self._pids:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self._tell(Ended(self._pids.pop(pid), os.waitstatus_to_exitcode(status)))

    def _tell(self, message: Ready | Ended) -> None:
        self._socket.sendall(encode(message))

    def _end(self) -> None:
        for pid in self._pids:
            os.kill(pid, signal.SIGKILL)
        for pid in self._pids:
            os.waitpid(pid, 0)


def _watch(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        sys.exit(0)
    except OSError:
        return None  # a kernel before 5.3; the socket alone must do


def _prepare(message: Prepare) -> None:
    for name in message.modules:
        try:
            importlib.import_module(name)
        except Exception:  # noqa: BLE001 - it only saves time; a worker that needs it tells what is wrong
            log.debug("%s can't be imported ahead", name, exc_info=True)
    if message.tokenizer is not None:
        try:
            keep_tokenizer(message.tokenizer)
        except Exception:  # noqa: BLE001 - as above
            log.debug("the tokenizer of %s can't be made ahead", message.tokenizer, exc_info=True)
    gc.freeze()


def _precompute() -> None:
    """The table of transformers from old names of weights to new ones: a thousand patterns, that each worker would
    compile anew. No step of torch."""
    try:
        from transformers.conversion_mapping import get_checkpoint_conversion_mapping

        get_checkpoint_conversion_mapping("llama")
    except Exception:  # noqa: BLE001 - it only saves time; a transformers without it has no need
        log.debug("transformers' conversion table can't be made ahead", exc_info=True)


def main(handed: str, app: str, level: str) -> None:
    """handed: descriptor of the socket to the app. app: its process id. level: of its log."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig()
    logging.getLogger("gearshift").setLevel(int(level))
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(logging.ERROR)
    sock = socket.socket(fileno=int(handed))
    sock.set_inheritable(False)
    server = Server(sock, int(app))
    from ..engine.loading import prepare

    prepare()
    _precompute()
    gc.collect()
    gc.freeze()
    server.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
