"""A worker: one model in a process of its own, forked with torch and transformers imported."""

import ctypes
import logging
import os
import queue
import signal
import socket
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

import msgspec

from ...pipeline.probes.loaded_torch import loaded, reserved
from ..failures import LoadError, OutOfMemory
from ..replies.generation import Brake
from .channel import Channel
from .pages import fresh_pages, own_pages
from .wire import Ask, Braking, Done, Failed, Here, Load, Loaded, Piece, ToWorker

log = logging.getLogger("gearshift.models")

OOM_SCORE = 800  # of 1000: the kernel takes a worker before it takes the app
_PR_SET_PDEATHSIG = 1


def main(sock: socket.socket, server: int) -> None:
    """Load what is asked for and write replies, until the other end of `sock` is closed. Never returns."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server:
        os._exit(1)  # the server had ended before that was asked for
    _offer_to_the_kernel()
    channel: Channel[ToWorker] = Channel(sock, msgspec.msgpack.Decoder(ToWorker))
    _Worker(channel).run()


def _offer_to_the_kernel() -> None:
    score = Path("/proc/self/oom_score_adj")
    try:
        score.write_text(str(max(OOM_SCORE, int(score.read_text()))))
    except OSError as error:
        log.debug("the kernel may take the app before this worker: %s", error)


class _Worker:
    def __init__(self, channel: "Channel[ToWorker]") -> None:
        self._channel = channel
        self._asked: queue.SimpleQueue[tuple[Load | Ask, Brake]] = queue.SimpleQueue()
        self._brakes: dict[int, Brake] = {}
        self._model: Any = None

    def run(self) -> None:
        fresh = fresh_pages()
        try:
            self._channel.send(Here(os.getpid(), fresh))
            threading.Thread(target=self._listen, name="gearshift-ear", daemon=True).start()
            while True:
                message, brake = self._asked.get()
                if isinstance(message, Load):
                    self._load(message)
                else:
                    self._write(message, brake)
        except OSError:
            os._exit(0)  # nobody listens any more

    def _listen(self) -> None:
        """Brakes must be heard while the model writes, and the end at any time."""
        while (message := self._heard()) is not None:
            if isinstance(message, Braking):
                brake = self._brakes.get(message.number)
                if brake is not None:
                    _apply(brake, message)
                continue
            brake = Brake()
            if isinstance(message, Ask):
                _apply(brake, message)
                self._brakes[message.number] = brake
            self._asked.put((message, brake))
        os._exit(0)

    def _heard(self) -> ToWorker | None:
        try:
            return self._channel.receive()
        except msgspec.DecodeError:
            log.exception("a message from the app can't be read")
            os._exit(1)

    def _load(self, message: Load) -> None:
        from ..engine.loading import folder_of, load_transformers

        before = set(sys.modules)
        try:
            if message.folder is not None:
                os.chdir(message.folder)
            self._model = load_transformers(message.spec)
            new = sorted(name for name in set(sys.modules) - before if name.startswith("transformers."))
            told = Loaded(own_pages(), _reserved(), tuple(new), folder_of(message.spec))
        except LoadError as error:
            log.debug("%s did not load", message.spec.name, exc_info=True)
            told = Failed(0, "memory" if error.out_of_memory else "other", str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the app is told
            log.debug("%s did not load", message.spec.name, exc_info=True)
            told = Failed(0, "other", f"{message.spec.name}: {type(error).__name__}: {error}")
        self._channel.send(told)

    def _write(self, message: Ask, brake: Brake) -> None:
        number = message.number
        try:
            written = self._model.generate(
                message.messages,
                message.partial,
                message.options,
                lambda text: self._channel.send(Piece(number, text)),
                brake,
            )
            told = Done(number, written)
        except Exception as error:  # noqa: BLE001 - whatever a model raises, the app is told
            # not its text: what a library or a chat template quotes of the conversation, no log is to hold
            where = "".join(traceback.format_tb(error.__traceback__))
            log.debug("reply %d failed by %s:\n%s", number, type(error).__name__, where)
            told = Failed(number, _kind(error), str(error) or type(error).__name__)
        self._brakes.pop(number, None)
        self._channel.send(told)


def _apply(brake: Brake, told: Ask | Braking) -> None:
    if told.left is not None:
        brake.wind_up(told.left)
    if told.stopped:
        brake.stop()


def _kind(error: Exception) -> str:
    if isinstance(error, OutOfMemory | MemoryError):
        return "memory"
    return "value" if isinstance(error, ValueError) else "other"


def _reserved() -> dict[str, int]:
    torch = loaded()
    count = torch.cuda.device_count() if torch is not None and torch.cuda.is_initialized() else 0
    held = {f"cuda:{index}": reserved(torch, "cuda", index) for index in range(count)}
    return {device: size for device, size in held.items() if size}
