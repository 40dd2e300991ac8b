"""How messages go over sockets between the app and its workers."""

import os
import socket
import struct
import threading
import weakref
from typing import Generic, TypeVar

import msgspec

from .wire import Said, encode

_LENGTH = struct.Struct("<Q")
_CHUNK = 1 << 16
LONGEST = 256 << 20
"""Bytes of a message; the longest are conversations. What claims more is no message, and would only fill memory."""
_ours: "weakref.WeakSet[socket.socket]" = weakref.WeakSet()


def socket_pair(kind: socket.SocketKind) -> tuple[socket.socket, socket.socket]:
    """Ours, and the one to hand over. Ours is closed in every process that the app forks: while another holds it open,
    the end of the app would go unnoticed at the other end."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    _ours.add(ours)
    return ours, theirs


def _close_ours() -> None:
    for each in list(_ours):
        each.close()


os.register_at_fork(after_in_child=_close_ours)

M = TypeVar("M")


class Channel(Generic[M]):
    """Messages over a stream socket, in both directions. Any thread may send, one at a time receives."""

    def __init__(self, sock: socket.socket, decoder: "msgspec.msgpack.Decoder[M]") -> None:
        self._socket, self._decoder = sock, decoder
        self._came = bytearray()
        self._sending, self._receiving = threading.Lock(), threading.Lock()

    def send(self, message: Said) -> None:
        """Raises OSError when the other end is gone, TypeError or ValueError for what msgpack has no form for."""
        body = encode(message)
        if len(body) > LONGEST:
            raise ValueError(f"a message of {len(body) >> 20} MiB can't be sent; send {LONGEST >> 20} MiB at most")
        with self._sending:
            self._socket.sendall(_LENGTH.pack(len(body)) + body)

    def receive(self) -> M | None:
        """The next message, or None when the other end is gone. Raises msgspec.DecodeError for what is none."""
        with self._receiving:
            while True:
                if len(self._came) >= _LENGTH.size:
                    size = _LENGTH.unpack_from(self._came)[0]
                    if size > LONGEST:
                        raise msgspec.DecodeError(f"a message that claims {size} bytes")
                    end = _LENGTH.size + size
                    if len(self._came) >= end:
                        body = bytes(self._came[_LENGTH.size : end])
                        del self._came[:end]
                        return _decoded(self._decoder, body)
                try:
                    more = self._socket.recv(_CHUNK)
                except OSError:
                    return None
                if not more:
                    return None
                self._came += more

    def hang_up(self) -> None:
        """Both ends see the end; whoever receives here returns."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the other end did so first

    def close(self) -> None:
        self.hang_up()
        with self._receiving, self._sending:
            self._socket.close()


def _decoded(decoder: "msgspec.msgpack.Decoder[M]", body: bytes) -> M:
    try:
        return decoder.decode(body)
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from None
