"""The application of Ray Serve: assistants on the nodes, the view of them all, and the HTTP face."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import reactivex
from ray import serve
from ray.serve import Application
from ray.serve.config import AutoscalingConfig, RequestRouterConfig
from ray.serve.schema import LoggingConfig

from ...operators.typing import positive, whole
from ...pipeline.settings import Settings
from ..ladders.ladder import Ladder, default_ladder
from ..manager import ModelManager
from ..replies.conversation import checked_text
from ..replies.queueing import Turns
from ..serving.app import create_app
from .assistant import Assistant
from .ingress import Ingress
from .router import RoomRouter
from .state import State

_GRACE = 120.0
"""Seconds for replies to end where a replica is stopped; to be killed would look like a crash to the next one there."""
HEAD = {"node:__internal_head__": 0.001}
"""What only the head of a cluster has: its view, and what answers HTTP, are where Serve itself is."""


def application(
    ladder: Ladder | str | Path | None = None,
    settings: Settings | None = None,
    *,
    replicas: int | AutoscalingConfig = 1,
    actor_options: Mapping[str, Any] | None = None,
    queue: int = 16,
    waiting: int = 256,
    report: float = 1.0,
    silence: float = 10.0,
    http: Mapping[str, Any] | None = None,
    **manager: Any,
) -> Application:
    """A fleet, to be started by `serve.run(application(…), name="gearshift")`.

    Each replica is a `ModelManager` with a node to itself: it samples, looks ahead, decides and shifts there, whether
    or not the head can be reached. Requests go to the replica with the best rung that has room. A reply whose node is
    lost goes on elsewhere. At `POST /v1/chat/completions` it answers OpenAI's clients as `gearshift serve` does.

    Args:
        ladder: a `Ladder`, the path of a TOML file, or None for the one in the user's cache folder, all of them here;
            its models are where it says on every node.
        settings: of all nodes; by default each has those of its own machine.
        replicas: how many nodes are to have one; or when, see `autoscaling`.
        actor_options: of each replica, as Serve's `ray_actor_options`; one CPU by default. Its models have no more
            threads than that.
        queue: how many replies may wait at a replica, from 0 up.
        waiting: how many more may wait for a place at one, from 1 up; a further one is told to come again.
        report: seconds between two reports of a node to the view, and to the router.
        silence: seconds after which a node that tells nothing counts as gone.
        http: as for `create_app` of `gearshift.models.serving`.
        manager: all else that `ModelManager` takes, such as `system`.

    Raises TypeError or ValueError that names a parameter, and LadderError.
    """
    _check(queue, report, silence, dict(http or {}), manager)
    found = ladder if isinstance(ladder, Ladder) else Ladder.from_toml(ladder) if ladder else default_ladder()
    options = dict(actor_options) if actor_options is not None else {"num_cpus": 1}
    more = {"name_rung": False, **manager, "queue": queue}
    count: dict[str, Any] = (
        {"autoscaling_config": replicas}
        if isinstance(replicas, AutoscalingConfig)
        else {"num_replicas": whole("replicas", replicas, least=1)}
    )
    deployment: Any = serve.deployment
    router: Any = RequestRouterConfig
    quiet = LoggingConfig(enable_access_log=False)  # reports come by the second, and the app logs its requests
    head: dict[str, Any] = {"ray_actor_options": {"num_cpus": 0, "resources": HEAD}, "logging_config": quiet}
    state = deployment(State, num_replicas=1, max_ongoing_requests=10_000, **head).bind(
        found, settings, report, silence, _asked_of_ray(options)
    )
    assistant = deployment(
        Assistant,
        logging_config=quiet,
        max_replicas_per_node=1,
        max_ongoing_requests=queue + 1,
        graceful_shutdown_timeout_s=_GRACE,
        max_queued_requests=whole("waiting", waiting, least=1),
        ray_actor_options=options,
        request_router_config=router(request_router_class=RoomRouter, request_routing_stats_period_s=report),
        **count,
    ).bind(state, found, settings, more, report)
    return deployment(Ingress, num_replicas=1, max_ongoing_requests=1000, **head).bind(
        assistant, state, dict(http or {})
    )


def build(args: Mapping[str, Any]) -> Application:
    """For `serve run --name gearshift gearshift.models.serve:build ladder=ladder.toml replicas=3`, and for YAML files.

    args: those of `application` that are texts or numbers.
    """
    return application(**{name: _number(name, value) if name in _NUMBERS else value for name, value in args.items()})


def _asked_of_ray(options: Mapping[str, Any]) -> dict[str, float]:
    """By the names that Ray has for what its nodes have."""
    named = {"num_cpus": "CPU", "num_gpus": "GPU", "memory": "memory"}
    return {**{ray: options.get(option) or 0 for option, ray in named.items()}, **options.get("resources", {})}


_NUMBERS: dict[str, Any] = {"replicas": int, "queue": int, "waiting": int, "report": float, "silence": float}


def _number(name: str, value: Any) -> Any:
    kind = _NUMBERS[name]
    try:
        return kind(str(value))
    except ValueError:
        told = "a whole number" if kind is int else "a number"
        raise ValueError(f"{name} must be {told}, got {name}={value!r}") from None


def _check(queue: int, report: float, silence: float, http: Mapping[str, Any], manager: Mapping[str, Any]) -> None:
    """What a replica would find only once it has been started."""
    Turns(queue)
    if positive("silence", silence) <= positive("report", report):
        raise ValueError(f"silence must be longer than report, got silence={silence!r} with report={report!r}")
    nobody: Any = SimpleNamespace(notices=reactivex.never(), ladder=(), rung=None)
    create_app(nobody, **http)
    inspect.signature(ModelManager).bind_partial(**manager)
    checked_text("system", manager.get("system") or "")
