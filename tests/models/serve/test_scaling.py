"""How many replicas are asked for."""

import tests.with_ray  # noqa: F401

# isort: split

from typing import Any

import pytest
from gearshift.models.serve import autoscaling, headroom_policy
from ray.serve.config import AutoscalingContext


def context(*, now: int, requests: float, able: list[float], free: float = 0.0) -> AutoscalingContext:
    stats: dict[str, Any] = {"able": dict(enumerate(able)), "free": dict.fromkeys(range(len(able)), free)}
    identity: Any = None
    return AutoscalingContext(
        deployment_id=identity, deployment_name="Assistant", app_name="gearshift", current_num_replicas=now,
        target_num_replicas=now, running_replicas=[], total_num_requests=requests, total_queued_requests=0.0,
        aggregated_metrics=stats, raw_metrics=None, capacity_adjusted_min_replicas=1, capacity_adjusted_max_replicas=9,
        policy_state={}, last_scale_up_time=None, last_scale_down_time=None, current_time=None,
        config=autoscaling(1, 9),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("now", "requests", "able", "free", "wanted"),
    [
        (1, 4, [1], 5, 4),  # the line asks for more, and there is room
        (1, 4, [1], 2, 3),  # no more than nodes have room for
        (1, 4, [1], 0, 1),  # none anywhere: another replica could only take room from this one
        (3, 1, [1, 1, 1], 0, 1),  # nobody asks
        (2, 2, [1, 0], 3, 3),  # one has no rung: it does not count as help
        (1, 0, [0], 1, 2),  # nor does it where nobody asks yet
        (1, 0, [0], 0, 1),  # and nowhere else is room
        (2, 0, [1, 1], 3, 1),  # never none
    ],
)
def test_the_line_says_how_many_and_headroom_how_many_there_can_be(
    now: int, requests: float, able: list[float], free: float, wanted: int
) -> None:
    assert headroom_policy(context(now=now, requests=requests, able=able, free=free)) == (wanted, {})


def test_a_replica_that_cannot_answer_is_not_added_to_for_ever() -> None:
    now, free, seen = 1, 3, []
    for _ in range(6):
        found, _state = headroom_policy(context(now=now, requests=1, able=[0] + [1] * (now - 1), free=free))
        free -= int(found) - now
        now = int(found)
        seen.append(now)
    assert seen == [2] * 6


def test_it_is_serves_own_configuration_with_what_is_left_to_say() -> None:
    made = autoscaling(1, 4, upscale_delay_s=3)
    assert (made.min_replicas, made.max_replicas, made.upscale_delay_s) == (1, 4, 3)
    assert made.target_ongoing_requests == 1


@pytest.mark.parametrize(("least", "most", "told"), [(0, 3, "min_replicas"), (3, 2, "max_replicas"), (1.5, 2, "min_")])
def test_bounds_that_cannot_be_are_refused_by_name(least: Any, most: Any, told: str) -> None:
    with pytest.raises((ValueError, TypeError), match=told):
        autoscaling(least, most)
