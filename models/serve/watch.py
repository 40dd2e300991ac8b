"""The pipeline of a node where no model is kept: what could be run there."""

import logging
import threading
import time
from typing import Any

import ray
from ray import serve
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from ...pipeline.fleet.reporting import Reporter
from ...pipeline.fleet.view import Told
from ...pipeline.scaler import ProactiveScaler
from ...pipeline.settings import Settings
from ..ladders.ladder import Ladder, LadderError
from ..needs.checkpoint import CheckpointError
from ..needs.remembered import Needs
from .assistant import cache_here, heard

log = logging.getLogger("gearshift.serve")

SPACE = "gearshift"
"""Ray's namespace of the watches."""

_LONG = 600.0
"""Seconds in which nobody listens, after which a watch ends: its fleet is gone."""


class NodeWatch:
    """Samples, looks ahead and decides as if a model were kept here, and tells the fleet of it."""

    def __init__(self, app: str, ladder: Ladder, settings: Settings | None, report: float) -> None:
        self._node = ray.get_runtime_context().get_node_id()
        try:
            rungs = ladder.rungs(Needs(cache_here() / "needs"))
        except (LadderError, CheckpointError) as error:  # nothing could be run here, and there is nothing to tell
            log.warning("node %s is not watched, as its ladder can't be read: %s", self._node, error)
            return
        self._state = serve.get_deployment_handle("State", app_name=app)
        self._me = ray.get_runtime_context().current_actor
        self._heard = time.monotonic()
        self._scaler = ProactiveScaler(rungs, settings, dry_run=True)
        self._scaler.start_continuous_monitoring()
        self._reporter = Reporter(self._node, self._scaler, self._send, assistant=False, every=report)

    def _send(self, items: list[Told]) -> None:
        try:
            heard(self._state, self._node, items, assistant=False)
        except Exception:
            if time.monotonic() - self._heard > _LONG:
                threading.Thread(target=ray.kill, args=(self._me,), daemon=True).start()
            raise
        self._heard = time.monotonic()


def watch(app: str, node: str, ladder: Ladder, settings: Settings | None, report: float) -> None:
    """Have one on that node, where there is none. Ray starts it again should it fail; it goes with the node."""
    ray.remote(NodeWatch).options(
        name=_name(app, node), namespace=SPACE, lifetime="detached", get_if_exists=True, num_cpus=0, max_restarts=-1,
        scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
    ).remote(app, ladder, settings, report)  # fmt: skip


def unwatch(app: str, node: str) -> None:
    """End that one, where there is one."""
    try:
        ray.kill(ray.get_actor(_name(app, node), SPACE))
    except ValueError:  # there is none
        return


def watched(app: str) -> list[str]:
    """The nodes that have one."""
    prefix = _name(app, "")
    actors: list[Any] = ray.util.list_named_actors(all_namespaces=True)
    names = [each["name"] for each in actors if each["namespace"] == SPACE]
    return [name.removeprefix(prefix) for name in names if name.startswith(prefix)]


def _name(app: str, node: str) -> str:
    return f"{app}-watch-{node}"
