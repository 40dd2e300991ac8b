"""How workers, fork servers and apps end: nothing is left behind, and whoever waits is told."""

import contextlib
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from gearshift.models import Ladder, ModelSpec
from gearshift.models.failures import LoadError, WorkerLost
from gearshift.models.hosts.process import ProcessHost

from tests.waiting import until

from .replies import Reply, gone, load, words


@pytest.fixture(scope="module")
def slow(checkpoints: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> ModelSpec:
    """A rung whose load takes far longer than any test waits."""
    folder = tmp_path_factory.mktemp("slow")
    for file in checkpoints["small"].iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 100_000}))
    return ModelSpec(name="slow", source=str(folder))


class Loading(threading.Thread):
    """A load under way in a thread of its own, from when its worker has begun."""

    def __init__(self, host: ProcessHost, spec: ModelSpec) -> None:
        super().__init__()
        self.host, self.spec = host, spec
        self.error: LoadError | None = None
        self.start()
        until(lambda: host.own().used)
        assert self.is_alive()

    def run(self) -> None:
        try:
            self.host.load(self.spec)
        except LoadError as error:
            self.error = error

    def reason(self) -> str:
        self.join(30)
        assert self.error is not None and not self.is_alive()
        return str(self.error)


def test_a_hung_load_is_killed_after_its_timeout(slow: ModelSpec) -> None:
    host = ProcessHost(timeout=20)
    host.warm()
    until(lambda: host._workers.server(sys.executable).ready.is_set())
    host._timeout = 0.5
    with pytest.raises(LoadError, match="slow: its worker did not load within 0.5 s and was killed") as caught:
        host.load(slow)
    assert not caught.value.out_of_memory and host.own() == (0, 0)
    host.close()


def test_a_load_that_is_cancelled_ends_at_once_and_the_next_one_works(
    host: ProcessHost, slow: ModelSpec, ladder: Ladder
) -> None:
    host.cancel()
    loading = Loading(host, slow)
    host.cancel()
    assert "was cancelled" in loading.reason() and host.own() == (0, 0)
    host.unload("small", host.load(ladder.named("small")))


def test_a_worker_that_the_kernel_takes_while_it_loads_lacked_memory(host: ProcessHost, slow: ModelSpec) -> None:
    loading = Loading(host, slow)
    (worker,) = host._workers.all
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    assert "killed by signal 9 (most likely the kernel ran out of memory)" in loading.reason()
    assert loading.error is not None and loading.error.out_of_memory


def test_a_lost_fork_server_loses_its_workers_and_the_next_load_starts_another(ladder: Ladder) -> None:
    host = ProcessHost()
    told: list[str] = []
    host.on_lost(lambda name, _: told.append(name))
    model = load(host, ladder.named("small"))
    worker = model.worker.pid
    assert worker is not None
    os.kill(host._workers.server(sys.executable).pid, signal.SIGKILL)
    with pytest.raises(WorkerLost, match="small: its worker"):
        while True:
            words(model)
    until(lambda: told == ["small"] and gone(worker))
    host.unload("small", model)
    model = load(host, ladder.named("small"))
    assert words(model)[1].finished
    host.close()


def test_an_interpreter_that_is_none_is_a_load_error_that_names_it(ladder: Ladder) -> None:
    host = ProcessHost(python="/nowhere/python")
    with pytest.raises(LoadError, match="small: no worker can be started by '/nowhere/python'"):
        host.load(ladder.named("small"))
    host.close()
    host = ProcessHost(python="/bin/false")
    with pytest.raises(LoadError, match="small: its worker lost its fork server, which exited with 1"):
        host.load(ladder.named("small"))
    host.close()


def test_a_brake_does_not_wait_for_a_worker_that_hangs_and_whose_socket_is_full(ladder: Ladder) -> None:
    host = ProcessHost()
    reply = Reply(load(host, ladder.named("large")))
    worker = reply.model.worker
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGSTOP)
    with contextlib.suppress(BlockingIOError):
        while True:
            worker.channel._socket.send(b"\0", socket.MSG_DONTWAIT)
    braking = threading.Thread(target=reply.brake.stop, daemon=True)
    braking.start()
    braking.join(20)
    held_up = braking.is_alive()
    host.kill("large", "was killed by the test")
    assert isinstance(reply.ended().error, WorkerLost) and not held_up
    host.close()


def _nothing(*_: object) -> None: ...


def _warming(host: ProcessHost, *_: object) -> None:
    host.warm()


def _loading(host: ProcessHost, _: ModelSpec, slow: ModelSpec) -> threading.Thread:
    return Loading(host, slow)


def _loaded(host: ProcessHost, spec: ModelSpec, _: ModelSpec) -> None:
    host.load(spec)


def _writing(host: ProcessHost, spec: ModelSpec, _: ModelSpec) -> threading.Thread:
    return Reply(load(host, spec))


def _stopped(host: ProcessHost, spec: ModelSpec, _: ModelSpec) -> None:
    pid = load(host, spec).worker.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)


def _lost(host: ProcessHost, spec: ModelSpec, _: ModelSpec) -> threading.Thread:
    reply = Reply(load(host, spec))
    assert reply.model.worker.pid is not None
    os.kill(reply.model.worker.pid, signal.SIGKILL)
    return reply


@pytest.mark.parametrize("state", [_nothing, _warming, _loading, _loaded, _writing, _stopped, _lost])
def test_close_in_any_state_and_twice_leaves_no_process_descriptor_or_thread(
    state: Callable[[ProcessHost, ModelSpec, ModelSpec], threading.Thread | None], ladder: Ladder, slow: ModelSpec
) -> None:
    me = psutil.Process()
    children, files, threads = set(me.children(True)), me.num_fds(), threading.active_count()
    host = ProcessHost()
    waiting = state(host, ladder.named("large"), slow)
    host.close()
    host.close()
    if waiting is not None:
        waiting.join(30)
    with pytest.raises(LoadError, match="the host is closed"):
        host.load(ladder.named("small"))
    assert set(me.children(True)) <= children
    until(lambda: me.num_fds() <= files and threading.active_count() <= threads, 10)
