"""What app, fork server and workers say to each other, in msgpack."""

import msgspec

from ..ladders.ladder import ModelSpec
from ..replies.conversation import Message
from ..replies.generation import Options, Written
from .pages import Pages


class Said(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """One message."""


class Fork(Said, frozen=True):
    """To the server: fork a worker. Its socket comes with it."""

    worker: int


class Kill(Said, frozen=True):
    """To the server, which alone knows that the process id still is this worker's."""

    worker: int


class Prepare(Said, frozen=True):
    """To the server: import these and make the tokenizer of this folder, so that the next worker need not."""

    modules: tuple[str, ...]
    tokenizer: str | None


class Ready(Said, frozen=True):
    """From the server: all is imported, a fork takes no time now."""


class Ended(Said, frozen=True):
    """From the server. status: what the worker exited with, or minus the signal that killed it. None: it never was."""

    worker: int
    status: int | None
    reason: str = ""


class Load(Said, frozen=True):
    """To a worker. folder: where relative paths start."""

    spec: ModelSpec
    folder: str | None


class Ask(Said, frozen=True):
    """To a worker: write a reply. stopped, left: how its brake stands by now."""

    number: int
    messages: list[Message]
    partial: str
    options: Options
    stopped: bool
    left: int | None


class Braking(Said, frozen=True):
    """To a worker: how the brake of that reply stands now."""

    number: int
    stopped: bool
    left: int | None


class Here(Said, frozen=True):
    """From a worker that has begun, with nothing loaded yet."""

    pid: int
    pages: Pages


class Loaded(Said, frozen=True):
    """From a worker. reserved: bytes by device that torch's allocator holds. modules: which the load had to import.
    tokenizer: the folder of its tokenizer."""

    pages: Pages
    reserved: dict[str, int]
    modules: tuple[str, ...]
    tokenizer: str | None


class Piece(Said, frozen=True):
    """From a worker: more of the reply."""

    number: int
    text: str


class Done(Said, frozen=True):
    """From a worker: its part of the reply has come to an end."""

    number: int
    written: Written


class Failed(Said, frozen=True):
    """From a worker: the load (number 0) or that reply failed. kind: `memory`, `value`, `other`."""

    number: int
    kind: str
    reason: str


ToServer = Fork | Kill | Prepare
FromServer = Ready | Ended
ToWorker = Load | Ask | Braking
FromWorker = Here | Loaded | Piece | Done | Failed

encode = msgspec.msgpack.Encoder().encode
_to_worker = msgspec.msgpack.Decoder(ToWorker).decode


def checked(message: Load | Ask) -> Load | Ask:
    """The message, if a worker will understand it. Raises ValueError, naming what is of a wrong type."""
    try:
        _to_worker(encode(message))
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(str(error)) from None
    return message
