import base64
import os
import select
import socket
import threading
import time
from pathlib import Path

import pytest
from gearshift.pipeline import Reading, Sample, Sampler, live
from gearshift.pipeline.probes.alarm import AlarmProbe
from gearshift.pipeline.testing import ScriptedProbe


def test_is_none_where_nobody_offers_to_tell() -> None:
    for environ in ({}, {"MEMORY_PRESSURE_WATCH": ""}, {"MEMORY_PRESSURE_WATCH": "/dev/null"}):
        probe = AlarmProbe(environ)
        assert probe.read() == Reading() and not probe.offered


@pytest.fixture
def fifo(tmp_path: Path):
    path = tmp_path / "pressure"
    os.mkfifo(path)
    probe = AlarmProbe({"MEMORY_PRESSURE_WATCH": str(path)})
    writer = os.open(path, os.O_WRONLY)
    yield probe, writer
    os.close(writer)
    probe.close()


def test_a_pipe_that_is_written_to_rings_once(fifo: tuple[AlarmProbe, int]) -> None:
    probe, writer = fifo
    assert probe.read().alarm is False
    os.write(writer, b"x" * 10_000)
    assert [probe.read().alarm, probe.read().alarm] == [True, False]


def test_what_a_wait_has_heard_is_in_the_next_reading(fifo: tuple[AlarmProbe, int]) -> None:
    probe, writer = fifo
    os.write(writer, b"x")
    probe.listen(5)
    assert [probe.read().alarm, probe.read().alarm] == [True, False]


@pytest.mark.slow
def test_a_sample_follows_at_once(fifo: tuple[AlarmProbe, int]) -> None:
    probe, writer = fifo
    samples: list[Sample] = []
    first, second = threading.Event(), threading.Event()

    def take(sample: Sample) -> None:
        samples.append(sample)
        (second if first.is_set() else first).set()

    with live(Sampler([ScriptedProbe([Reading()]), probe]), interval=30, fastest=0.01).subscribe(take):
        assert first.wait(10)
        time.sleep(0.05)
        os.write(writer, b"x")
        assert second.wait(5), "30 s were waited for"
    assert [s.alarm for s in samples[:2]] == [False, True]


def test_a_socket_is_connected_to_and_its_end_is_no_alarm_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "pressure"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(1)
        greeting = base64.b64encode(b"hello").decode()
        probe = AlarmProbe({"MEMORY_PRESSURE_WATCH": str(path), "MEMORY_PRESSURE_WRITE": greeting})
        peer, _ = server.accept()
        assert peer.recv(10) == b"hello"
        assert probe.read().alarm is False
        peer.send(b"!")
        assert [probe.read().alarm, probe.read().alarm] == [True, False]
        peer.close()
        assert probe.read().alarm is False, "its end is no alarm"
        assert not probe.offered and probe.read() == Reading()
    probe.close()


def test_a_file_that_is_not_there_is_told() -> None:
    with pytest.raises(FileNotFoundError):
        AlarmProbe({"MEMORY_PRESSURE_WATCH": "/nowhere/pressure"})


@pytest.mark.parametrize("text", ["a", "ÿ", "!!!"])
def test_what_is_not_base64_is_told(text: str) -> None:
    with pytest.raises(OSError, match="MEMORY_PRESSURE_WRITE is not Base64"):
        AlarmProbe({"MEMORY_PRESSURE_WATCH": "/dev/zero", "MEMORY_PRESSURE_WRITE": text})


def test_a_pressure_file_of_the_kernel_is_armed() -> None:
    path = Path("/proc/pressure/memory")
    if not os.access(path, os.W_OK):
        pytest.skip("no pressure file that can be written to")
    trigger = base64.b64encode(b"some 150000 2000000\0").decode()
    probe = AlarmProbe({"MEMORY_PRESSURE_WATCH": str(path), "MEMORY_PRESSURE_WRITE": trigger})
    assert probe.offered and probe._events == select.POLLPRI
    assert probe.read().alarm is False
    probe.close()
