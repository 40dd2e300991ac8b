"""The fleet's one view: what nodes tell, who watches them, and what was said in conversations."""

import asyncio
import contextlib
import logging
import threading
import uuid
from collections.abc import Collection, Mapping, Sequence

import ray
from ray import serve

from ...pipeline.fleet.view import Batch, FleetView, Told
from ...pipeline.settings import Settings
from ..ladders.ladder import Ladder
from ..replies.conversation import Message
from .histories import Histories
from .watch import unwatch, watch, watched

log = logging.getLogger("gearshift.serve")

_LOOK = 2.0
"""Seconds between two looks at which nodes there are."""
_GATHER = 0.05
"""Seconds for which further news are gathered before those who watch are told."""


class State:
    """Serve keeps one, and starts it anew where its node is lost; nodes then tell it again how they stand.

    Args:
        ladder, settings: of the assistants.
        report: seconds between two reports of a node.
        silence: seconds after which a node that tells nothing counts as gone.
        asks: what Ray is asked for a replica, by resource.
    """

    def __init__(
        self,
        ladder: Ladder,
        settings: Settings | None,
        report: float,
        silence: float,
        asks: Mapping[str, float],
    ) -> None:
        self._asks, self._places = asks, frozenset[str]()
        self._app = serve.get_replica_context().app_name
        self._ladder, self._settings, self._report = ladder, settings, report
        self._view, self._silence = FleetView(silence), silence
        self._histories = Histories(self._app)
        self._epoch = uuid.uuid4().hex
        self._news = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._looking, self._ended = threading.Lock(), False

    async def report(self, node: str, items: Sequence[Told], *, assistant: bool) -> int:
        """A node tells of itself. Returns how many nodes without an assistant have room for one."""
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        self._view.report(node, items, assistant=assistant)
        self._news.set()
        self._news = asyncio.Event()
        return self._view.free(self._places)

    async def left(self, node: str) -> None:
        """The assistant there has ended."""
        self._view.left(node)

    async def poll(self, epoch: str, after: int | None, kinds: Collection[str], wait: float) -> tuple[str, Batch]:
        """What was told since, as `FleetView.since`, as soon as there is something, but after `wait` seconds at most.

        epoch: what the last poll returned; another one begins anew.
        """
        if epoch != self._epoch:
            after = None
        if after is not None and not self._view.since(after, kinds).items:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._news.wait()
                    await asyncio.sleep(_GATHER)
        return self._epoch, self._view.since(after, kinds)

    async def messages(self) -> int:
        """How many reports have come."""
        return self._view.messages

    async def about(self) -> tuple[Ladder, float]:
        """The rungs, best first, and for how long (seconds) a node may be silent."""
        return self._ladder, self._silence

    async def history(self, conversation: str) -> list[Message]:
        """See `Histories`."""
        return await self._histories.history(conversation)

    async def add(self, conversation: str, key: str, question: str, answer: str) -> None:
        """See `Histories`."""
        await self._histories.add(conversation, key, question, answer)

    async def forget(self, conversation: str) -> bool:
        """See `Histories`."""
        return await self._histories.forget(conversation)

    async def __del__(self) -> None:
        """Serve calls this when the application ends, or is deployed anew."""
        if self._watching is not None:
            self._watching.cancel()
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        with self._looking:
            self._ended = True
            for node in watched(self._app):
                unwatch(self._app, node)

    async def _watch(self) -> None:
        """One pipeline on each node: that of its assistant, or else a watch."""
        failing = False
        while True:
            await asyncio.sleep(max(_LOOK, 2 * self._report))  # a view that has begun is told first who is there
            try:
                kept = {node for node, told in self._view.standings.items() if told.assistant}
                await asyncio.to_thread(self._look, kept)
            except Exception as error:  # noqa: BLE001 - the head is away, whatever Ray says of it
                if not failing:
                    log.warning("the nodes can't be looked after now: %s", error)
                failing = True
            else:
                failing = False

    def _look(self, kept: set[str]) -> None:
        with self._looking:
            if not self._ended:
                self._look_after(kept)

    def _look_after(self, kept: set[str]) -> None:
        nodes = {node["NodeID"]: node["Resources"] for node in ray.nodes() if node["Alive"]}
        here = set(nodes)
        self._places = frozenset(
            node for node, has in nodes.items() if all(has.get(name, 0) >= many for name, many in self._asks.items())
        )
        watches = set(watched(self._app))
        for node in watches & (kept | (watches - here)):
            unwatch(self._app, node)
        for node in here - kept - watches:
            watch(self._app, node, self._ladder, self._settings, self._report)
