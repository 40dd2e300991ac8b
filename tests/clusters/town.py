"""A cluster on one host: a head without models, and nodes that have one each, in memory groups of their own."""

import tests.with_ray  # noqa: F401

# isort: split

import contextlib
import logging
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import ray
from gearshift.models import Ladder
from gearshift.models.serve import Fleet, application
from gearshift.pipeline import Settings
from ray import serve
from ray.cluster_utils import Cluster

from tests.survival.exhaustion.group import Group, group, why_not
from tests.waiting import until

MIB = 2**20
ROOM = 3072 * MIB
"""Bytes for a node: Ray's processes, ours, and the models."""
PATIENCE = 120.0
QUICK = Settings(
    interval=0.25, window=4, horizon=3, confirm=0.5, patience=3, stabilisation=5, recovery=2, settle=0.5, gap=5,
    retry=5, max_shifts_per_hour=1_000_000,
)  # fmt: skip


class Town:
    """Runs the fleet `app` until it is closed. groups: of the nodes, by their id, where groups can be made here."""

    def __init__(self, folder: Path, ladder: Ladder, nodes: int = 2, **asked: Any) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self.groups: dict[str, Group] = {}
        self._made = 0
        self._ends = contextlib.ExitStack()
        self._grouped = not why_not()
        patch = self._ends.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("RAY_gcs_storage", "rocksdb")
        patch.setenv("RAY_gcs_storage_path", str(folder / "head"))
        (folder / "head").mkdir()
        self._head = {"num_cpus": 0, "include_dashboard": False, "gcs_server_port": _free_port()}
        self.cluster = Cluster(initialize_head=True, head_node_args=self._head)
        for _ in range(nodes):
            self.add()
        self._connect()
        serve.start(proxy_location="HeadOnly", http_options={"host": "127.0.0.1", "port": self.port})
        more = {"replicas": nodes, "settings": QUICK, "cache": folder / "cache", "report": 0.5, **asked}
        serve.run(application(ladder, **more), name="gearshift")
        self.fleet = Fleet()

    def reconnect(self) -> None:
        self._connect()
        self.fleet = Fleet()

    def _connect(self) -> None:
        """As a driver, on the head's node."""
        ray.init(address=self.cluster.address, log_to_driver=False, logging_level=logging.WARNING)

    def disconnect(self) -> None:
        self.fleet.close()
        ray.shutdown()

    def add(self) -> str:
        """Another node. Returns its id."""
        with self._joined() as made:
            node = self.cluster.add_node(num_cpus=1)
        if made is not None:
            self.groups[node.node_id] = made
        return node.node_id

    def kill(self, node: str) -> None:
        """At once, as a machine that loses its power."""
        found = next(each for each in self.cluster.worker_nodes if each.node_id == node)
        self.cluster.remove_node(found, allow_graceful=False)
        if node in self.groups:  # what a raylet leaves behind for a moment goes too
            self.groups.pop(node).end()

    def kill_head(self) -> None:
        """With all that runs there."""
        self.cluster.remove_node(self.cluster.head_node, allow_graceful=False)

    def begin_head(self) -> None:
        self.cluster.add_node(**self._head)

    @property
    def able(self) -> dict[str, str | None]:
        """Rungs by node, where one answers."""
        return {node: told.rung for node, told in self.fleet.nodes.items() if told.assistant and told.ready}

    def ready(self, nodes: int = 2) -> None:
        """Wait until so many nodes answer, and each is heard of."""
        try:
            until(lambda: len(self.able) == nodes, PATIENCE)
        except AssertionError as error:
            replicas = serve.status().applications["gearshift"].deployments["Assistant"]
            raise AssertionError(f"{error}; nodes: {self.fleet.nodes}; Serve: {replicas}") from None

    def busy(self) -> str:
        """The node that writes a reply, as soon as one does."""
        found: list[str] = []

        def look() -> bool:
            found[:] = [node for node, told in self.fleet.nodes.items() if told.waiting]
            return bool(found)

        until(look, PATIENCE)
        return found[0]

    def models(self, node: str) -> int:
        """How many are loaded there, or being loaded, as the machine has it."""
        pids = (self.groups[node].folder / "cgroup.procs").read_text().split()
        serving = {int(pid) for pid in pids if b"gearshift.models.hosts.server" in _command(pid)}
        return sum(psutil.Process(pid).ppid() in serving for pid in serving)

    def all_but(self, node: str, mib: int) -> int:
        """Bytes that leave so many MiB free there."""
        return ROOM - self.groups[node].used - mib * MIB

    @contextlib.contextmanager
    def hog(self, node: str, size: int) -> Iterator[None]:
        """Meanwhile somebody else holds so many bytes there."""
        command = [sys.executable, "-c", f"held = b'1' * {size}; print('held', flush=True); input()"]
        with subprocess.Popen(
            self.groups[node].inside(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"held\n"
            try:
                yield
            finally:
                process.kill()

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self.fleet.close()
        with contextlib.ExitStack() as ends:  # which goes on where one of them fails
            for end in (self._ends.close, self.cluster.shutdown, ray.shutdown, serve.shutdown):
                ends.callback(end)

    @contextlib.contextmanager
    def _joined(self) -> Iterator[Group | None]:
        """What is started meanwhile runs in a new group, as a machine of its own would."""
        if not self._grouped:
            yield None
            return
        self._made += 1
        made = self._ends.enter_context(group(f"node{self._made}", ROOM))
        with made.joined():
            yield made


def _command(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        return b""


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
