"""Which replica a request goes to."""

import time
from typing import Any

import msgspec
from ray.serve.request_router import PendingRequest, ReplicaID, RequestRouter, RunningReplica

from ...pipeline.fleet.placement import merit
from ...pipeline.fleet.standing import Standing

_ON_ITS_WAY = 5.0
"""Seconds for which a request counts where it was sent, before it is known to be there."""
_TOLD_BEFORE = 2.0
"""Seconds after the end of a request there for which what is known here counts rather than what was told."""


class RoomRouter(RequestRouter):
    """To the replica with the most merit: see `gearshift.pipeline.fleet.merit`.

    It goes by what each replica told last as its routing stats, and by how many requests are known to be there, or on
    their way. Those that a request names in `avoid` come last.
    """

    def initialize_state(self, **_: Any) -> None:
        """Serve calls this before the first request."""
        self._sent: dict[str, tuple[ReplicaID, float]] = {}
        self._done: dict[ReplicaID, float] = {}

    async def choose_replicas(
        self, candidate_replicas: list[RunningReplica], pending_request: PendingRequest | None = None
    ) -> list[list[RunningReplica]]:
        """All `candidate_replicas`, the best for `pending_request` first, each a rank of its own.

        Serve takes the first that has a place.
        """
        avoid = pending_request.kwargs.get("avoid", ()) if pending_request is not None else ()
        coming = self._coming(pending_request)
        known, now = self.replica_queue_len_cache, time.monotonic()
        self._done = {each: at for each, at in self._done.items() if now - at < _TOLD_BEFORE}

        def rank(replica: RunningReplica) -> tuple[Any, ...]:
            told, here = told_by(replica.routing_stats), replica.replica_id
            there = known.get(here)
            waiting = 0 if told is None or (here in self._done and there is not None) else told.waiting
            ahead = max(there or 0, waiting) + coming.count(here)
            return here.unique_id not in avoid, *merit(told, ahead)

        ranked = sorted(candidate_replicas, key=rank, reverse=True)
        if ranked and pending_request is not None:
            self._sent[pending_request.metadata.internal_request_id] = ranked[0].replica_id, time.monotonic()
        return [[replica] for replica in ranked]

    def on_request_routed(self, pending_request: PendingRequest, replica_id: ReplicaID, result: Any) -> None:  # noqa: ARG002
        """`pending_request` is at `replica_id`, and counted there from now on; `result` is not looked at."""
        self._sent.pop(pending_request.metadata.internal_request_id, None)

    def on_request_completed(self, replica_id: ReplicaID, internal_request_id: str) -> None:  # noqa: ARG002
        """What `replica_id` told a moment ago counts `internal_request_id` still, which is no longer there."""
        self._done[replica_id] = time.monotonic()

    def _coming(self, asked: PendingRequest | None) -> list[ReplicaID]:
        """Where other requests are on their way to; those that never came are forgotten."""
        since = time.monotonic() - _ON_ITS_WAY
        self._sent = {key: sent for key, sent in self._sent.items() if sent[1] > since}
        own = None if asked is None else asked.metadata.internal_request_id
        return [replica for key, (replica, _) in self._sent.items() if key != own]


def told_by(stats: dict[str, Any] | None) -> Standing | None:
    """A standing from routing stats, which are a mapping; None where nothing has been told yet."""
    return msgspec.convert(stats, Standing) if stats else None
