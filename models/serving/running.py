"""An app on a socket, until a signal ends it: no new requests, time for those in progress, then the brake."""

import ipaddress
import queue
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NamedTuple

import uvicorn
from starlette.types import ASGIApp

from .promptness import Prompt

_LOOK = 0.2
"""Seconds between two looks at whether the server has begun, or ended by itself."""

_LAST = 15.0
"""Seconds after the brake for replies to be sent off; a client that does not read them has no longer."""

_CONNECTIONS = 256
"""At once; a further one is told 503. Replies that wait are bounded by the manager's queue."""


class Place(NamedTuple):
    """Where to listen. address: as the system has it for the host that was named."""

    family: int
    address: tuple[Any, ...]

    @property
    def local(self) -> bool:
        """Only this machine can reach it."""
        return ipaddress.ip_address(self.address[0].partition("%")[0]).is_loopback


def place(host: str, port: int) -> Place:
    """Raises OSError for a host that is not known."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    return Place(found[0], found[4])


def listening(where: Place) -> socket.socket:
    """A socket that connections may come to. Raises OSError."""
    # named, as asyncio sends small pieces at once (TCP_NODELAY) only where it knows the protocol
    made = socket.socket(where.family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(where.address)
        made.listen(_CONNECTIONS)
    except OSError:
        made.close()
        raise
    return made


def configured(app: ASGIApp, *, patience: float) -> uvicorn.Config:
    """patience: seconds after its end is asked for, in which uvicorn waits for replies."""
    return uvicorn.Config(
        app, http=Prompt, ws="none", lifespan="off", log_config=None, access_log=False, server_header=False,
        proxy_headers=False, limit_concurrency=_CONNECTIONS, timeout_keep_alive=30,
        timeout_graceful_shutdown=int(patience) + 1, h11_max_incomplete_event_size=1 << 16,
    )  # fmt: skip


def run(
    app: ASGIApp, listener: socket.socket, *, grace: float, ready: Callable[[], None], brake: Callable[[], None]
) -> int:
    """Serve until SIGINT, SIGTERM or SIGHUP. From the main thread; uvicorn has one of its own.

    Args:
        grace: seconds after the signal for replies to end. Then, or at a second signal, `brake` is called.
        ready: is called once requests are answered.
        brake: ends all replies, and returns when they have ended.

    Returns 0, or 128 and the number of the second signal, or 1 where the server ended by itself.
    """
    server = uvicorn.Server(configured(app, patience=grace + _LAST))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="gearshift-server", daemon=True)
    with _signals() as signals:
        thread.start()
        while not server.started and thread.is_alive() and signals.empty():
            time.sleep(0.01)
        if server.started:
            ready()
        if _heard(signals, thread) is None:
            brake()
            return 1
        server.should_exit = True
        second = _heard(signals, thread, grace)
        server.force_exit = second is not None
        brake()
        thread.join(_LAST)
    return 0 if second is None else 128 + second


@contextmanager
def _signals() -> Iterator["queue.SimpleQueue[int]"]:
    """Those that ask for the end, as they come. A SimpleQueue may be put into while it is being read."""
    heard: queue.SimpleQueue[int] = queue.SimpleQueue()

    def hear(number: int, _: FrameType | None) -> None:
        heard.put(number)

    asked = [number for number in _NUMBERS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, hear) for number in asked}
    try:
        yield heard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_NUMBERS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def _heard(signals: "queue.SimpleQueue[int]", thread: threading.Thread, seconds: float | None = None) -> int | None:
    """The next signal; None when the server has ended, or after so many seconds."""
    until = None if seconds is None else time.monotonic() + seconds
    while thread.is_alive() and (until is None or time.monotonic() < until):
        try:
            return signals.get(timeout=_LOOK)
        except queue.Empty:
            continue
    return None
