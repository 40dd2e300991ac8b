"""Which replica a request goes to."""

from typing import Any

import msgspec
from ray.serve.request_router import PendingRequest, RequestRouter, RunningReplica

from ...pipeline.fleet.placement import merit
from ...pipeline.fleet.standing import Standing


class RoomRouter(RequestRouter):
    """To the replica with the most merit: see `gearshift.pipeline.fleet.merit`.

    It goes by what each replica told last as its routing stats, and by how many requests are known to be there. Those
    that a request names in `avoid` come last.
    """

    async def choose_replicas(
        self, candidate_replicas: list[RunningReplica], pending_request: PendingRequest | None = None
    ) -> list[list[RunningReplica]]:
        """All of them, the best first, each a rank of its own: Serve takes the first that has a place."""
        avoid = pending_request.kwargs.get("avoid", ()) if pending_request is not None else ()
        known = self.replica_queue_len_cache

        def rank(replica: RunningReplica) -> tuple[Any, ...]:
            told = told_by(replica.routing_stats)
            ahead = max(known.get(replica.replica_id) or 0, 0 if told is None else told.waiting)
            return replica.replica_id.unique_id not in avoid, *merit(told, ahead)

        return [[replica] for replica in sorted(candidate_replicas, key=rank, reverse=True)]


def told_by(stats: dict[str, Any] | None) -> Standing | None:
    """A standing from routing stats, which are a mapping; None where nothing has been told yet."""
    return msgspec.convert(stats, Standing) if stats else None
