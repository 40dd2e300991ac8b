"""Which replica is tried first."""

import tests.with_ray  # noqa: F401

# isort: split

import asyncio
from types import SimpleNamespace
from typing import Any

import msgspec
from gearshift.models.serve import RoomRouter
from gearshift.pipeline.fleet import Standing


class Router(RoomRouter):
    """Without Serve around it. known: requests that are known to be at a replica."""

    def __init__(self, **known: int) -> None:
        self.known = known
        self.initialize_state()

    @property
    def replica_queue_len_cache(self) -> Any:
        return self.known


def replica(name: str, quality: float, **told: Any) -> Any:
    standing = Standing(name, 0.0, "rung", quality, **{"ready": True, "roomy": True, **told})
    return SimpleNamespace(replica_id=_Id(name), routing_stats=msgspec.to_builtins(standing))


class _Id(str):
    __slots__ = ()

    @property
    def unique_id(self) -> str:
        return str(self)


def request(name: str, avoid: tuple[str, ...] = ()) -> Any:
    return SimpleNamespace(kwargs={"avoid": avoid}, metadata=SimpleNamespace(internal_request_id=name))


def order(router: Router, replicas: list[Any], asked: Any) -> list[str]:
    ranks = asyncio.run(router.choose_replicas(replicas, asked))
    assert all(len(rank) == 1 for rank in ranks)
    return [str(rank[0].replica_id) for rank in ranks]


def test_the_best_rung_that_answers_comes_first_and_none_is_left_out() -> None:
    untold: Any = SimpleNamespace(replica_id=_Id("new"), routing_stats={})
    replicas = [replica("small", 0.5), replica("none", 0.0, ready=False), replica("large", 1.0), untold]
    assert order(Router(), replicas, request("1"))[:2] == ["large", "small"]
    assert len(order(Router(), replicas, request("1"))) == 4


def test_a_line_before_a_better_rung_counts_by_what_is_told_and_what_is_known() -> None:
    assert order(Router(), [replica("small", 0.6), replica("large", 1.0, waiting=1)], request("1"))[0] == "small"
    assert order(Router(large=1), [replica("small", 0.6), replica("large", 1.0)], request("1"))[0] == "small"
    assert order(Router(large=1), [replica("small", 0.4), replica("large", 1.0)], request("1"))[0] == "large"


def test_what_was_told_before_a_request_ended_there_is_no_line() -> None:
    replicas = [replica("small", 0.6), replica("large", 1.0, waiting=1)]
    router, here = Router(large=0), next(each.replica_id for each in replicas if each.replica_id == "large")
    assert order(router, replicas, request("1"))[0] == "small"
    router.on_request_completed(here, "0")
    router.on_request_routed(request("1"), here, None)
    assert order(router, replicas, request("2"))[0] == "large"


def test_whom_a_request_avoids_comes_last() -> None:
    assert order(Router(), [replica("small", 0.5), replica("large", 1.0)], request("1", ("large",))) == [
        "small",
        "large",
    ]


def test_two_requests_at_once_go_to_two_replicas_and_once_there_count_no_more() -> None:
    router, replicas = Router(), [replica("a", 1.0), replica("b", 1.0)]
    first, second = order(router, replicas, request("1"))[0], order(router, replicas, request("2"))[0]
    assert {first, second} == {"a", "b"}
    assert order(router, replicas, request("1"))[0] == first  # asked again, it does not count itself
    for name, where in (("1", first), ("2", second)):
        arrived: Any = _Id(where)
        router.on_request_routed(request(name), arrived, None)
    assert router._coming(None) == []
