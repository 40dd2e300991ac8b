"""What all nodes tell, in one place."""

import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple, TypeAlias

from ..outlook import Outlook
from ..rungs import Residency
from ..words import Decision
from .standing import Standing

Told: TypeAlias = Outlook | Decision | Residency | Standing
KINDS: dict[str, type] = {
    "outlooks": Outlook, "decisions": Decision, "residencies": Residency, "standings": Standing,
}  # fmt: skip


class NodeItem(NamedTuple):
    """What was told, `item`, and of which `node`, by its name."""

    node: str
    item: Any


class Batch(NamedTuple):
    """Items in the order in which they were told. after: what to ask for next. missed: how many were told before, but
    are no longer kept."""

    items: list[NodeItem]
    after: int
    missed: int


class FleetView:
    """The newest standing of each node, and the last items that were told by any.

    Not thread-safe: of one event loop.

    Args:
        silence: seconds after which a node that tells nothing counts as gone.
        kept: how many items are kept for those who watch.
        clock: seconds, of the machine where the view is.
    """

    def __init__(
        self, silence: float = 10.0, kept: int = 10_000, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._silence, self._clock = silence, clock
        self._items: deque[NodeItem] = deque(maxlen=kept)
        self._count = 0
        self._standings: dict[str, tuple[float, Standing]] = {}
        self.messages = 0

    def report(self, node: str, items: Sequence[Told], *, assistant: bool) -> None:
        """Take what a node tells.

        assistant: is it told by the keeper of a model there? What another one tells of that node is left out meanwhile.
        """
        self.messages += 1
        known = self._known(node)
        if known is not None and known.assistant and not assistant:
            return
        for item in items:
            self._items.append(NodeItem(node, item))
            self._count += 1
            if isinstance(item, Standing):
                self._standings[node] = self._clock(), item

    def left(self, node: str) -> None:
        """The keeper of the model there has ended."""
        self._standings.pop(node, None)

    @property
    def standings(self) -> dict[str, Standing]:
        """By node, of those that have told something lately."""
        return {node: known for node in list(self._standings) if (known := self._known(node)) is not None}

    def free(self, places: Collection[str]) -> int:
        """How many of the nodes `places` keep no model, and have room for one."""
        known = [told for node, told in self.standings.items() if node in places]
        return sum(not told.assistant and told.fits is not None for told in known)

    def since(self, after: int | None, kinds: Collection[str]) -> Batch:
        """What was told of these kinds (see `KINDS`) after that; with None, the newest standings to begin with."""
        if after is None:
            first = [NodeItem(*each) for each in self.standings.items()] if "standings" in kinds else []
            return Batch(first, self._count, 0)
        new = min(self._count - after, len(self._items))
        wanted = tuple(KINDS[kind] for kind in kinds)
        latest = [self._items[at] for at in range(len(self._items) - new, len(self._items))]
        return Batch([each for each in latest if isinstance(each.item, wanted)], self._count, self._count - after - new)

    def _known(self, node: str) -> Standing | None:
        arrived, known = self._standings.get(node, (float("-inf"), None))
        if self._clock() - arrived > self._silence:
            self._standings.pop(node, None)
            return None
        return known
