"""The workers there are: begun, ended, lost."""

import itertools
import logging
import os
import socket
import threading
from collections.abc import Callable

from .channel import socket_pair
from .forkserver import ForkServer
from .remote import Worker

log = logging.getLogger("gearshift.models")


class Workers:
    """The workers of a host, and the server that forks them. Thread-safe."""

    def __init__(self) -> None:
        self.all: tuple[Worker, ...] = ()
        self._lock = threading.Lock()
        self._server: ForkServer | None = None
        self._owner = os.getpid()
        self._closed = False
        self._numbers = itertools.count(1)
        self._tells: list[Callable[[str, str], None]] = []
        self._telling: list[threading.Thread] = []

    def server(self, python: str) -> ForkServer:
        """The one that runs, or a new one. Raises RuntimeError after `close`, OSError when it can't be started."""
        with self._lock:
            if self._closed:
                raise RuntimeError("the host is closed; make a new ProcessHost")
            if os.getpid() != self._owner:
                raise RuntimeError("the host belongs to the process that made it; make a new ProcessHost after a fork")
            over = self._server if self._server is not None and self._server.over else None
            if self._server is None or over is not None:
                self._server = ForkServer(self._ended, python=python)
            server = self._server
        if over is not None:
            over.close()
        return server

    def begin(self, name: str, python: str) -> Worker:
        server = self.server(python)
        ours, theirs = socket_pair(socket.SOCK_STREAM)
        worker = Worker(next(self._numbers), name, server, ours)
        with self._lock:
            self.all = (*self.all, worker)
        server.fork(worker.number, theirs)
        return worker

    def prepare(self, modules: tuple[str, ...], tokenizer: str | None) -> None:
        """What a load took time for, the next shall find done."""
        server = self._server
        if server is not None:
            server.prepare(modules, tokenizer)

    def forget(self, worker: Worker) -> None:
        with self._lock:
            self.all = tuple(each for each in self.all if each is not worker)
        worker.close()

    def on_lost(self, tell: Callable[[str, str], None]) -> None:
        with self._lock:
            self._tells.append(tell)

    def close(self) -> None:
        if os.getpid() != self._owner:
            return
        with self._lock:
            self._closed = True
            server, left, telling = self._server, self.all, list(self._telling)
        for worker in left:
            worker.hang_up("was ended, as its host was closed")
        if server is not None:
            server.close()
        for worker in left:
            self.forget(worker)
        for thread in telling:
            if thread is not threading.current_thread():
                thread.join()

    def _ended(self, number: int, status: int | None, reason: str) -> None:
        worker = next((each for each in self.all if each.number == number), None)
        if worker is None or not worker.has_ended(status, reason):
            return
        log.warning("%s: its worker %s", worker.name, worker.why())
        thread = threading.Thread(target=self._tell, args=(worker,), name="gearshift-lost", daemon=True)
        with self._lock:
            self._telling = [each for each in self._telling if each.is_alive()] + [thread]
            thread.start()

    def _tell(self, worker: Worker) -> None:
        for tell in list(self._tells):
            if worker not in self.all:
                return  # it was unloaded meanwhile, by a listener too, and another may have its name by now
            try:
                tell(worker.name, f"its worker {worker.why()}")
            except Exception:
                log.exception("a listener raised when %s was lost", worker.name)
