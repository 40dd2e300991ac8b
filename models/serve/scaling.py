"""How many replicas there should be: as many as requests ask for, and no more than nodes have room for."""

import math
from typing import Any

from ray.serve.config import AutoscalingConfig, AutoscalingContext, AutoscalingPolicy

from ...operators.typing import whole


def headroom_policy(ctx: AutoscalingContext) -> tuple[float, dict[str, Any]]:
    """A policy for Serve's `AutoscalingConfig`: the queue says how many are wanted, headroom how many there can be.

    Replicas that can't answer now (`able` 0: no rung fits on their node) don't count as help, and each is replaced
    while another node has room for one (`free`). Without such nodes none is added: a replica beside another on a node
    would only take its memory. Bounds, factors and delays are Serve's.

    Args:
        ctx: what Serve knows of the deployment.

    Returns how many replicas are desired, at least 1, and no state.
    """
    stats = ctx.aggregated_metrics or {}
    able = stats.get("able", {})
    unable = sum(not value for value in able.values())
    free = max(stats.get("free", {}).values(), default=0.0)
    target = ctx.config.get_target_ongoing_requests() if ctx.config is not None else 1.0
    least = ctx.config.min_replicas if ctx.config is not None else 1
    wanted = max(least, math.ceil(ctx.total_num_requests / target)) + unable
    running = len(able) or ctx.current_num_replicas  # those that are being started are still counted as free nodes
    return max(1, min(wanted, running + int(free))), {}


def autoscaling(min_replicas: int, max_replicas: int, **config: Any) -> AutoscalingConfig:
    """Serve's configuration with `headroom_policy`, for the `replicas` of `application`.

    Args:
        min_replicas, max_replicas: how many there are at least and at most, from 1 up.
        config: all else that Serve's `AutoscalingConfig` takes. `target_ongoing_requests`, of each replica, is 1 by
            default, as a model answers one at a time.

    Raises TypeError or ValueError that names a parameter.
    """
    least = whole("min_replicas", min_replicas, least=1)
    most = whole("max_replicas", max_replicas, least=least)
    policy = AutoscalingPolicy(policy_function=headroom_policy)
    return AutoscalingConfig(
        **{"target_ongoing_requests": 1, **config, "min_replicas": least, "max_replicas": most, "policy": policy}
    )
