"""A replica of the assistant: the manager of one node's models."""

import asyncio
import contextlib
import logging
import socket
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import ray
from ray import serve
from ray.serve.handle import DeploymentHandle

from ...pipeline.fleet.reporting import Reporter
from ...pipeline.fleet.view import Told
from ...pipeline.settings import Settings
from ..ladders.ladder import CACHE, Ladder
from ..manager import ModelManager
from ..replies.generation import Options
from ..replies.pulse import pulsed
from ..telling.notices import Notice
from .parts import SIGN, Begun, On, Part, Refused, Written

log = logging.getLogger("gearshift.serve")

_HEARD = 5.0
"""Seconds for the fleet's view to take a report."""
_NOTICES = 8


class Assistant:
    """Keeps the best rung that fits its node loaded, and writes replies, or what is left of them.

    Its pipeline samples, decides and shifts by itself; the fleet's view only hears of it.

    Args:
        state: the handle of the fleet's `State`.
        ladder, settings, more: as for `ModelManager`.
        report: seconds from one report to the fleet's view to the next.
    """

    def __init__(
        self,
        state: DeploymentHandle,
        ladder: Ladder,
        settings: Settings | None,
        more: Mapping[str, Any],
        report: float,
    ) -> None:
        self._replica = serve.get_replica_context().replica_id.unique_id
        self._node = ray.get_runtime_context().get_node_id()
        self._state = state
        self._asked = self._free = 0
        self._notices: deque[Notice] = deque(maxlen=_NOTICES)
        self._manager = ModelManager(ladder, settings, **{"cache": cache_here(), **more})
        self._manager.notices.subscribe(self._notices.append)
        self._reporter = Reporter(
            self._node, self._manager.scaler, self._send, residencies=self._manager.residencies,
            waiting=lambda: self._asked, every=report,
        )  # fmt: skip

    async def stream(
        self,
        messages: Sequence[Mapping[str, str]],
        options: Options,
        timeout: float | None,
        begun: str = "",
        avoid: Sequence[str] = (),  # noqa: ARG002 - the router's
    ) -> AsyncIterator[Part]:
        """Write a reply to these messages, from where it `begun`. Closing it stops the model."""
        yield Begun(self._replica, self._node)
        self._asked += 1
        pieces = None
        try:
            stream = self._manager.stream_response(messages, options=options, timeout=timeout, begun=begun)
            pieces, rung = pulsed(stream, SIGN), None
            async for piece in pieces:
                if piece is not None and stream.rung != rung:
                    rung = stream.rung
                    yield On(rung)
                yield piece
            assert stream.reply is not None
            yield Written.of(stream.reply, tuple(self._notices.popleft() for _ in range(len(self._notices))))
        except Exception as error:  # noqa: BLE001 - sent by its name: not every error can be pickled
            yield Refused(type(error).__name__, str(error))
        finally:
            self._asked -= 1
            if pieces is not None:
                await pieces.aclose()

    def record_routing_stats(self) -> dict[str, Any]:
        """For the router: how this node stands."""
        return msgspec.to_builtins(self._reporter.standing)

    def record_autoscaling_stats(self) -> dict[str, float]:
        """For the policy. free: nodes without an assistant, with room for one. able: 1 where a rung answers or fits."""
        standing = self._reporter.standing
        able = standing.ready or standing.fits is not None
        return {"free": float(self._free), "able": float(able), "waiting": float(standing.waiting)}

    async def __del__(self) -> None:
        """Serve calls this once requests have ended; where they don't in time, it ends the process instead."""
        if not hasattr(self, "_reporter"):
            return
        await asyncio.to_thread(self._reporter.close)
        await asyncio.to_thread(self._manager.shutdown)
        with contextlib.suppress(Exception):  # then its silence tells
            async with asyncio.timeout(_HEARD):
                await self._state.left.remote(self._node)

    def _send(self, items: list[Told]) -> None:
        self._free = heard(self._state, self._node, items, assistant=True)


def heard(state: DeploymentHandle, node: str, items: list[Told], *, assistant: bool) -> int:
    """Tell the view. Returns how many nodes are free; raises where it does not answer, and then will not hear of it."""
    asked = state.report.remote(node, items, assistant=assistant)
    try:
        return asked.result(timeout_s=_HEARD)
    except TimeoutError:
        asked.cancel()
        raise


def cache_here() -> Path:
    """Where a node remembers things: a home may be shared by machines, and what is learned is of one."""
    return CACHE / "hosts" / socket.gethostname()
