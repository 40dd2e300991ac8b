"""Replies of real workers, for tests."""

import threading

import psutil
from gearshift.models import ModelSpec, Options
from gearshift.models.failures import ModelError
from gearshift.models.hosts.process import ProcessHost
from gearshift.models.hosts.remote import RemoteModel
from gearshift.models.replies.generation import Brake, Written

QUESTION = [{"role": "user", "content": "Hello"}]
LONG = Options(max_new_tokens=400)


def load(host: ProcessHost, spec: ModelSpec) -> RemoteModel:
    model = host.load(spec)
    assert isinstance(model, RemoteModel)
    return model


def words(model, partial: str = "", tokens: int = 40, brake: Brake | None = None) -> tuple[str, Written]:
    pieces: list[str] = []
    written = model.generate(QUESTION, partial, Options(max_new_tokens=tokens), pieces.append, brake or Brake())
    return "".join(pieces), written


def gone(pid: int) -> bool:
    """No process any more, or one that only waits to be reaped by whoever adopted it."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


class Reply(threading.Thread):
    """A long reply under way in a thread of its own, from its first piece on."""

    def __init__(self, model: RemoteModel) -> None:
        super().__init__()
        self.model, self.brake = model, Brake()
        self.pieces: list[str] = []
        self.error: Exception | None = None
        self.written: Written | None = None
        self.under_way = threading.Event()
        self.start()
        assert self.under_way.wait(60)

    def run(self) -> None:
        try:
            self.written = self.model.generate(QUESTION, "", LONG, self.take, self.brake)
        except ModelError as error:
            self.error = error
        self.under_way.set()

    def take(self, piece: str) -> None:
        self.pieces.append(piece)
        self.under_way.set()

    def ended(self) -> "Reply":
        self.join(60)
        assert not self.is_alive()
        return self
