"""How operations went lately: response times and failures."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from ..operators.typing import not_negative

K = TypeVar("K")
V = TypeVar("V")
_NAMES = 100


def newest_last(kept: dict[K, V], key: K, new: Callable[[], V]) -> V:
    """The value of `key`, which was used last from now on; of more than 100 the one that was not used for longest goes.

    >>> counts = {}
    >>> for name in range(1000):
    ...     _ = newest_last(counts, name, list)
    >>> len(counts), min(counts)
    (100, 900)
    """
    value = kept.pop(key) if key in kept else new()
    kept[key] = value
    if len(kept) > _NAMES:
        del kept[next(iter(kept))]
    return value


class Summary(NamedTuple):
    """Of the last 20 operations of one name: how many, how many failed, mean seconds of those that did not."""

    total: int
    failed: int
    seconds: float | None


class Performance:
    """Keeps the last 20 outcomes of each operation, and the 100 operations that were recorded last: an app that makes
    up a name for each request must not fill memory.

    >>> seen = Performance()
    >>> seen.record("generate", 1.5, ok=True)
    >>> seen.record("generate", 0.1, ok=False)
    >>> seen.summary("generate")
    Summary(total=2, failed=1, seconds=1.5)
    """

    kept = 20

    def __init__(self) -> None:
        self._seen: dict[str, deque[tuple[float, bool]]] = {}

    def record(self, operation: str, seconds: float, ok: bool) -> None:
        outcome = (not_negative("seconds", seconds), ok)
        newest_last(self._seen, operation, lambda: deque[tuple[float, bool]](maxlen=self.kept)).append(outcome)

    def summary(self, operation: str) -> Summary:
        seen = self._seen.get(operation, ())
        good = [seconds for seconds, ok in seen if ok]
        return Summary(len(seen), len(seen) - len(good), sum(good) / len(good) if good else None)
