import os
import pickle
import socket
import struct
import threading
from pathlib import Path

import msgspec
import pytest
from gearshift.models.hosts.channel import Channel, socket_pair
from gearshift.models.hosts.wire import Ask, Braking, FromWorker, Piece, ToWorker, encode
from gearshift.models.replies.generation import Options


def pair() -> "tuple[Channel[ToWorker], Channel[FromWorker], socket.socket]":
    ours, theirs = socket_pair(socket.SOCK_STREAM)
    worker: Channel[ToWorker] = Channel(theirs, msgspec.msgpack.Decoder(ToWorker))
    return worker, Channel(ours, msgspec.msgpack.Decoder(FromWorker)), theirs


def ask(text: str) -> Ask:
    return Ask(1, [{"role": "user", "content": text}], "", Options(sampling={"top_p": 0.9}), False, None)


def test_messages_of_any_size_arrive_whole_and_in_order_in_both_directions() -> None:
    worker, app, _ = pair()
    sent = [ask("x" * size) for size in (0, 1, 1 << 16, 3_000_000)] + [Braking(1, True, 48)]
    sender = threading.Thread(target=lambda: [app.send(message) for message in sent])
    sender.start()
    assert [worker.receive() for _ in sent] == sent
    sender.join()
    worker.send(Piece(1, "ä€😀"))
    assert app.receive() == Piece(1, "ä€😀")
    worker.close()
    app.close()


def test_messages_that_several_threads_send_do_not_mix() -> None:
    worker, app, _ = pair()
    threads = [
        threading.Thread(target=lambda i=i: [worker.send(Piece(i, str(i) * 50_000)) for _ in range(20)])
        for i in range(4)
    ]
    for thread in threads:
        thread.start()
    seen = [app.receive() for _ in range(80)]
    for thread in threads:
        thread.join()
    assert sorted(piece.number for piece in seen if isinstance(piece, Piece)) == sorted(list(range(4)) * 20)
    assert all(isinstance(piece, Piece) and piece.text == str(piece.number) * 50_000 for piece in seen)
    worker.close()
    app.close()


def test_the_end_of_the_other_side_is_none_after_all_that_it_had_sent() -> None:
    worker, app, _ = pair()
    worker.send(Piece(1, "last"))
    worker.close()
    assert app.receive() == Piece(1, "last")
    assert app.receive() is None
    with pytest.raises(OSError):
        app.send(Braking(1, True, None))
    app.close()
    assert app.receive() is None


def test_a_frame_cut_off_by_a_death_is_no_message() -> None:
    _, app, theirs = pair()
    body = encode(Piece(1, "cut off"))
    theirs.sendall(len(body).to_bytes(8, "little") + body[:5])
    theirs.close()
    assert app.receive() is None
    app.close()


def test_hanging_up_wakes_whoever_receives() -> None:
    _, app, theirs = pair()
    seen: list[object] = [1]
    thread = threading.Thread(target=lambda: seen.append(app.receive()))
    thread.start()
    app.hang_up()
    thread.join(10)
    assert seen == [1, None]
    app.close()
    theirs.close()


def test_what_is_no_message_is_refused_by_name() -> None:
    _, app, theirs = pair()
    theirs.sendall((3).to_bytes(8, "little") + b"\xa2hi")
    with pytest.raises(msgspec.DecodeError):
        app.receive()
    app.close()
    theirs.close()


def test_a_process_that_the_app_forks_holds_no_socket_of_the_app_s() -> None:
    ours, theirs = socket_pair(socket.SOCK_STREAM)
    go, gone = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(gone)
        theirs.close()
        os.read(go, 1)
        os._exit(0)
    os.close(go)
    ours.close()
    theirs.settimeout(10)
    try:
        assert theirs.recv(1) == b""
    finally:
        os.close(gone)
        os.waitpid(child, 0)
        theirs.close()


class _Bomb:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.file),)


def test_a_pickle_on_the_wire_is_no_message_and_is_not_unpickled(tmp_path: Path) -> None:
    ours, theirs = socket_pair(socket.SOCK_STREAM)
    body = pickle.dumps(_Bomb(tmp_path / "fired"))
    with ours, theirs:
        ours.sendall(struct.pack("<Q", len(body)) + body)
        with pytest.raises(msgspec.DecodeError):
            Channel(theirs, msgspec.msgpack.Decoder(ToWorker)).receive()
    assert not (tmp_path / "fired").exists()
    pickle.loads(body)
    assert (tmp_path / "fired").exists()  # where it is unpickled, it does fire
