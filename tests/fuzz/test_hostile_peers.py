"""The other end of a socket that says what no message is."""

import asyncio
import stat
import struct
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest
from gearshift.models.hosts.channel import LONGEST, Channel, socket_pair
from gearshift.models.hosts.forkserver import ForkServer
from gearshift.models.hosts.wire import FromWorker

pytestmark = [pytest.mark.timeout(120), pytest.mark.usefixtures("limited")]


@pytest.mark.parametrize("claimed", [LONGEST + 1, 2**63, 2**64 - 1])
def test_a_worker_that_claims_a_message_without_end_is_not_listened_to(claimed: int) -> None:
    ours, theirs = socket_pair(1)
    channel: Channel[Any] = Channel(ours, msgspec.msgpack.Decoder(FromWorker))
    theirs.send(struct.pack("<Q", claimed) + b"x" * 100)
    try:
        with pytest.raises(msgspec.DecodeError, match=f"claims {claimed} bytes"):
            channel.receive()
    finally:
        theirs.close()
        channel.close()


def test_a_fork_server_that_says_what_cant_be_read_is_ended_and_its_workers_are_told_of(tmp_path: Path) -> None:
    """Its interpreter is one that says something else."""
    python, told, came = tmp_path / "python", threading.Event(), []
    python.write_text(
        f"#!{sys.executable} -S\nimport os, sys, time\nos.read(int(sys.argv[4]), 9)\n"
        "os.write(int(sys.argv[4]), b'\\xff\\xff')\ntime.sleep(600)\n"
    )
    python.chmod(python.stat().st_mode | stat.S_IXUSR)

    def ended(worker: int, status: int | None, reason: str) -> None:
        came.append((worker, status, reason))
        told.set()

    server = ForkServer(ended, python=str(python))
    ours, theirs = socket_pair(1)
    try:
        server.fork(7, theirs)
        assert told.wait(60)
        assert [(worker, status) for worker, status, _ in came] == [(7, None)]
        assert "lost its fork server" in came[0][2]
    finally:
        server.close()
        ours.close()


def test_a_request_that_claims_a_length_of_thousands_of_digits_is_too_large() -> None:
    pytest.importorskip("starlette")
    from gearshift.models.serving.bodies import json_body
    from gearshift.models.serving.errors import ApiError
    from starlette.requests import Request

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    headers = [(b"content-type", b"application/json"), (b"content-length", b"9" * 5000)]
    with pytest.raises(ApiError, match="longer than 1000 bytes"):
        asyncio.run(json_body(Request({"type": "http", "headers": headers}, receive), 1000))
