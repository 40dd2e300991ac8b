"""Which node gets the next reply: by what all have told, in turn, or by chance."""

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from random import Random
from typing import Literal, Protocol, TypeAlias, get_args

from .placement import merit
from .standing import Standing

Score: TypeAlias = Callable[[Standing | None, int], tuple[float, ...]]
"""How good a node is, the larger the better, by what it told last and by the replies that are before the next one."""

Named: TypeAlias = Literal["merit", "fresh", "fewest waiting", "round robin", "random"]


class Chooser(Protocol):
    """Chooses among nodes, by number. sees: it asks for standings; else none are told."""

    sees: bool

    def tell(self, node: int, standing: Standing) -> None:
        """The `node` has told how it stands."""
        ...

    def place(self) -> int:
        """The node for the next reply, which is on its way there then."""
        ...

    def ended(self, node: int) -> None:
        """A reply of the `node` is written."""
        ...


class Ranked:
    """The node with the largest score; of equals the one with the lowest number.

    Nodes are kept in a heap, negated scores first. A node whose score changes is put in once more; what it was put in
    with before is known by its stamp, and dropped when it comes up. So each change and each reply costs the logarithm
    of the number of nodes.
    """

    def __init__(self, score: Score, nodes: int, *, sees: bool) -> None:
        self._score, self.sees = score, sees
        self._standings: list[Standing | None] = [None] * nodes
        self._ahead, self._stamps = [0] * nodes, [0] * nodes
        start = _negated(score(None, 0))
        self._heap = [(start, node, 0) for node in range(nodes)]
        heapify(self._heap)

    def tell(self, node: int, standing: Standing) -> None:
        self._standings[node] = standing
        self._put(node)

    def place(self) -> int:
        while self._stamps[(node := self._heap[0][1])] != self._heap[0][2]:
            heappop(self._heap)
        self._ahead[node] += 1
        self._put(node)
        return node

    def ended(self, node: int) -> None:
        self._ahead[node] -= 1
        self._put(node)

    def _put(self, node: int) -> None:
        self._stamps[node] += 1
        score = self._score(self._standings[node], self._ahead[node])
        heappush(self._heap, (_negated(score), node, self._stamps[node]))


class InTurn:
    """One node after the other."""

    sees = False

    def __init__(self, nodes: int) -> None:
        self._nodes, self._next = nodes, 0

    def tell(self, node: int, standing: Standing) -> None:
        """It makes no difference."""

    def place(self) -> int:
        node, self._next = self._next, (self._next + 1) % self._nodes
        return node

    def ended(self, node: int) -> None:
        """It makes no difference."""


class ByChance:
    """Any node."""

    sees = False

    def __init__(self, nodes: int, draw: Random) -> None:
        self._nodes, self._draw = nodes, draw

    def tell(self, node: int, standing: Standing) -> None:
        """It makes no difference."""

    def place(self) -> int:
        return self._draw.randrange(self._nodes)

    def ended(self, node: int) -> None:
        """It makes no difference."""


def chooser(placement: Named | Score, nodes: int, seed: int) -> Chooser:
    """What carries out a `placement`. Raises ValueError for an unknown name, TypeError for what is no function."""
    if callable(placement):
        return Ranked(placement, nodes, sees=True)
    if not isinstance(placement, str):
        raise TypeError(f"placement must be a name or a function, got placement={placement!r}")
    if placement in ("merit", "fresh"):
        return Ranked(merit, nodes, sees=True)
    if placement == "fewest waiting":
        return Ranked(_fewest, nodes, sees=False)
    if placement == "round robin":
        return InTurn(nodes)
    if placement == "random":
        return ByChance(nodes, Random(f"placement {seed}"))
    raise ValueError(f"placement must be a function or one of {', '.join(get_args(Named))}, got {placement!r}")


def _fewest(standing: Standing | None, ahead: int) -> tuple[float]:  # noqa: ARG001 - blind to it
    return (-ahead,)


def _negated(score: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(-each for each in score)
