"""Models in worker processes: unloading is exiting, and the kernel takes a worker before it takes the app."""

import logging
import signal
import sys
import threading
import weakref
from collections.abc import Callable, Iterable
from pathlib import Path

from ...pipeline.probes.ram import Own
from ..failures import LoadError
from ..ladders.ladder import ModelSpec
from ..needs.checkpoint import CheckpointError, located
from . import Freed, Model
from .gpu import GpuReader
from .remote import RemoteModel, Worker
from .wire import Failed, Load, Loaded, checked
from .workers import Workers

__all__ = ["ProcessHost"]

log = logging.getLogger("gearshift.models")

_CANCELLED = "was cancelled while it loaded"
_EXIT, _DEATH = 2.0, 5.0  # seconds for a worker to exit when asked, and to be gone when killed


class ProcessHost:
    """Forks a worker for each rung, from a server that is started at the first load or by `warm`.

    Linux only. Thread-safe; loads are one at a time, others wait. A worker that ends by itself is told to `on_lost`.
    In a process that the app forks this host can't be used; make a new one there.

    Args:
        timeout: seconds after which a load counts as hung and its worker is killed.
        python: the interpreter that the server runs in; by default the app's.
        rungs: what may be loaded later; the server makes their tokenizers ready once the first load has ended.

    Raises:
        ValueError: for a timeout that isn't above 0.
    """

    def __init__(self, *, timeout: float = 300.0, python: str | None = None, rungs: Iterable[ModelSpec] = ()) -> None:
        if not timeout > 0:
            raise ValueError(f"timeout must be above 0 seconds, got timeout={timeout!r}")
        self._timeout = timeout
        self._python = python or sys.executable
        self._rungs = tuple(rungs)
        self._workers = Workers()
        self._loads = threading.Lock()
        self._loading: Worker | None = None
        self._cancelled = threading.Event()
        self._held: dict[str, dict[str, int]] = {}
        self._gpus = GpuReader()
        self._end = weakref.finalize(self, self._workers.close)  # at the app's exit too

    def warm(self) -> None:
        """Start the fork server, so that the first load need not wait for its imports. Returns at once."""
        self._workers.server(self._python)

    def load(self, spec: ModelSpec) -> Model:
        """Load `spec` in a worker of its own, as in `Host`.

        Raises LoadError, also where the worker ends, hangs or is cancelled meanwhile; `out_of_memory` where the kernel
        has killed it.
        """
        with self._loads:
            cancelled = self._cancelled = threading.Event()
            try:
                worker = self._loading = self._workers.begin(spec.name, self._python)
            except (OSError, RuntimeError) as error:
                raise LoadError(f"{spec.name}: no worker can be started by {self._python!r}: {error}") from None
            if cancelled.is_set():
                worker.kill(_CANCELLED)
            late = f"did not load within {self._timeout:g} s and was killed"
            hung = threading.Timer(self._timeout, worker.kill, (late,))
            hung.daemon = True
            hung.start()
            try:
                return self._loaded(worker, spec)
            except BaseException:
                self._give_up(worker)
                raise
            finally:
                self._loading = None
                hung.cancel()
                hung.join()

    def unload(self, name: str, model: Model) -> Freed:
        """End the worker of `model`, which `name` was loaded as: asked to, and after 2 s killed.

        Raises TypeError for a model of another host.
        """
        if not isinstance(model, RemoteModel):
            raise TypeError(f"{name} was loaded by another host; unload it there, got {model!r}")
        worker = model.worker
        before = self._held_now(worker)
        worker.hang_up("was unloaded")
        if not worker.ended.wait(_EXIT):
            worker.kill("did not exit when asked")
            if not worker.ended.wait(_DEATH):
                log.warning("%s: worker %s is still there %g s after it was killed", name, worker.pid, _DEATH)
        left = self._held_now(worker)
        self._workers.forget(worker)
        return Freed(before, before - left)

    def held(self, name: str) -> dict[str, int]:
        """Bytes by pool that the worker of `name` was measured to hold when its load ended."""
        return dict(self._held.get(name) or {"ram": 0})

    def own(self) -> Own:
        """RAM that all workers hold now."""
        used = mapped = 0
        for worker in self._workers.all:
            own = worker.own()
            used, mapped = used + own.used, mapped + own.mapped
        return Own(used, mapped)

    def on_lost(self, tell: Callable[[str, str], None]) -> None:
        """Call `tell(name, reason)` when the worker of a loaded rung ends by itself, from a thread of its own."""
        self._workers.on_lost(tell)

    def cancel(self) -> None:
        """Kill the worker that loads, if one does: `load` then raises LoadError."""
        self._cancelled.set()
        worker = self._loading
        if worker is not None:
            worker.kill(_CANCELLED)

    def kill(self, name: str, reason: str) -> None:
        """End the worker of the loaded rung `name`, which hangs; its reply raises WorkerLost with this reason."""
        for worker in self._workers.all:
            if worker.name == name and worker.loaded:
                worker.kill(reason)

    def close(self) -> None:
        """End all workers and the server. Idempotent; it happens at the app's exit, too."""
        self._end()
        self._gpus.close()

    def _loaded(self, worker: Worker, spec: ModelSpec) -> RemoteModel:
        try:
            worker.channel.send(checked(Load(spec, _folder())))
        except ValueError as error:
            raise LoadError(f"{spec.name}: the rung can't be used: {error}") from None
        except OSError:
            log.debug("%s: its worker has ended; reading tells how", spec.name)
        while (message := worker.receive()) is not None:
            if isinstance(message, Failed):
                raise LoadError(message.reason, out_of_memory=message.kind == "memory")
            if isinstance(message, Loaded):
                break
        if message is None or worker.pages is None or worker.pid is None or not worker.has_loaded():
            reason = worker.why()
            killed = worker.status == -signal.SIGKILL and not worker.killed
            raise LoadError(f"{spec.name}: its worker {reason}", out_of_memory=killed)
        gpus = message.reserved
        if spec.device != "cpu":
            gpus = {**gpus, **self._gpus.held(worker.pid)}
        worker.pages.loaded(message.pages)
        self._held[spec.name] = {"ram": message.pages.held, **gpus}
        self._workers.prepare(message.modules, message.tokenizer)
        for later in self._rungs:
            self._workers.prepare((), _tokenizer(later))
        return RemoteModel(worker)

    def _held_now(self, worker: Worker) -> int:
        used = worker.own().used
        if worker.pid is not None and len(self.held(worker.name)) > 1:
            used += sum(self._gpus.held(worker.pid).values())
        return used

    def _give_up(self, worker: Worker) -> None:
        worker.kill("was given up")
        if worker.pid is not None:
            worker.ended.wait(_DEATH)
        self._workers.forget(worker)


def _tokenizer(spec: ModelSpec) -> str | None:
    """The folder that it is made from; None where that is not known yet."""
    try:
        found = located(spec.source)
    except CheckpointError as error:
        log.debug("%s: its tokenizer can't be made ahead: %s", spec.name, error)
        return None
    return str(found.resolve()) if found.is_dir() else None


def _folder() -> str | None:
    try:
        return str(Path.cwd())
    except OSError:
        return None  # it was removed
