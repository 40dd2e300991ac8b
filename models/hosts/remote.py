"""A model in a worker process, as the app sees it."""

import contextlib
import logging
import socket
import threading
from collections.abc import Callable

import msgspec

from ...pipeline.probes.ram import Own
from ..failures import ModelError, OutOfMemory, WorkerLost
from ..replies.conversation import Message
from ..replies.generation import Brake, Options, Written
from .channel import Channel
from .forkserver import ForkServer, told
from .pages import Watched
from .wire import Ask, Braking, Done, Failed, FromWorker, Here, Piece, checked

log = logging.getLogger("gearshift.models")

_LAST_WORD = 5.0  # seconds between the end of a worker's socket and news of how it ended


class Worker:
    """One worker process. Thread-safe.

    name: of its rung. wanted: its end is what was asked for. killed: by us. loaded: its load has ended well.
    """

    def __init__(self, number: int, name: str, server: ForkServer, sock: socket.socket) -> None:
        self.number, self.name = number, name
        self.pid: int | None = None
        self.wanted = self.killed = self.loaded = False
        self.ended = threading.Event()
        self.status: int | None = None
        self.pages: Watched | None = None
        self._reason = ""
        self._lock = threading.Lock()
        self._server = server
        self.channel: Channel[FromWorker] = Channel(sock, msgspec.msgpack.Decoder(FromWorker))

    def receive(self) -> FromWorker | None:
        """None when it has ended, or can't be understood, which ends it."""
        try:
            message = self.channel.receive()
        except msgspec.DecodeError as error:
            self.kill(f"said what can't be read: {error}")
            return None
        if isinstance(message, Here):
            self.pid = message.pid
            self.pages = _watched(message)
        return message

    def own(self) -> Own:
        return self.pages.own() if self.pages is not None else Own()

    def kill(self, reason: str) -> None:
        """End it at once, whatever it does. The first reason counts."""
        with self._lock:
            self._reason = self._reason or reason
            self.killed = not self.ended.is_set()
        self._server.kill(self.number)
        self.channel.hang_up()

    def hang_up(self, reason: str) -> None:
        """Ask it to exit: that is no loss."""
        with self._lock:
            self._reason = self._reason or reason
            self.wanted = True
        self.channel.hang_up()

    def close(self) -> None:
        """Let go of its descriptors."""
        self.channel.close()
        if self.pages is not None:
            self.pages.close()

    def has_ended(self, status: int | None, reason: str) -> bool:
        """Note how. True when a loaded model is lost by that."""
        with self._lock:
            self.status = status
            self._reason = self._reason or reason or (told(status) if status is not None else "was ended")
            self.ended.set()
            return self.loaded and not self.wanted

    def has_loaded(self) -> bool:
        """From now on its end is a loss. False when it has ended already."""
        with self._lock:
            self.loaded = not self.ended.is_set()
            return self.loaded

    def why(self) -> str:
        """How it ended; waits until that is known."""
        if not self._reason:
            self.ended.wait(_LAST_WORD)
        return self._reason or "closed its connection"


def _watched(message: Here) -> Watched | None:
    try:
        return Watched(message.pid, message.pages)
    except OSError:
        return None  # it has ended already


class RemoteModel:
    """Writes one reply at a time, in its worker."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self._turn = threading.Lock()
        self._number = 0

    def generate(
        self,
        messages: list[Message],
        partial: str,
        options: Options,
        on_text: Callable[[str], None],
        brake: Brake,
    ) -> Written:
        """Stream what follows `partial` into `on_text`, from this thread.

        Raises ModelError, OutOfMemory, WorkerLost; ValueError for a message or an option that can't be used.
        """
        with self._turn:
            self._number += 1
            number = self._number
            self._ask(Ask(number, messages, partial, options, brake.stopped, brake.left))
            unwatch = brake.watch(lambda changed: self._brake(Braking(number, changed.stopped, changed.left)))
            try:
                return self._written(number, on_text)
            except BaseException:
                self._brake(Braking(number, True, None))  # the worker need not go on for nobody
                raise
            finally:
                unwatch()

    def close(self) -> None:
        """End its worker."""
        self.worker.hang_up("was closed")

    def _written(self, number: int, on_text: Callable[[str], None]) -> Written:
        while (message := self.worker.receive()) is not None:
            if getattr(message, "number", None) != number:
                continue  # of a reply that its reader left
            if isinstance(message, Piece):
                on_text(message.text)
            elif isinstance(message, Done):
                return message.written
            elif isinstance(message, Failed):
                raise _error(message)
        raise WorkerLost(f"{self.worker.name}: its worker {self.worker.why()}")

    def _ask(self, ask: Ask) -> None:
        try:
            checked(ask)
        except ValueError as error:
            raise ValueError(f"the messages or their options can't be used: {error}") from None
        with contextlib.suppress(OSError):  # it has ended; reading tells how
            self.worker.channel.send(ask)

    def _brake(self, told: Braking) -> None:
        """From a thread of its own: a worker that hangs does not empty its socket, and whoever brakes can't wait."""
        threading.Thread(target=self._send, args=(told,), name="gearshift-brake", daemon=True).start()

    def _send(self, message: Braking) -> None:
        with contextlib.suppress(OSError):  # it has ended; whoever reads is told how
            self.worker.channel.send(message)


def _error(failed: Failed) -> Exception:
    if failed.kind == "value":
        return ValueError(failed.reason)
    return OutOfMemory(failed.reason) if failed.kind == "memory" else ModelError(failed.reason)
