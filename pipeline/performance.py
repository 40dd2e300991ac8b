"""How operations went lately: response times and failures."""

from collections import deque
from typing import NamedTuple

from ..operators.typing import not_negative


class Summary(NamedTuple):
    """Of the last 20 operations of one name: how many, how many failed, mean seconds of those that did not."""

    total: int
    failed: int
    seconds: float | None


class Performance:
    """Keeps the last 20 outcomes of each operation.

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
        self._seen.setdefault(operation, deque(maxlen=self.kept)).append((not_negative("seconds", seconds), ok))

    def summary(self, operation: str) -> Summary:
        seen = self._seen.get(operation, ())
        good = [seconds for seconds, ok in seen if ok]
        return Summary(len(seen), len(seen) - len(good), sum(good) / len(good) if good else None)
