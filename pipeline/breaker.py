"""A circuit breaker for each rung: one that fails, or answers too slowly, is set aside for a growing while."""

from collections import deque
from collections.abc import Mapping
from statistics import median

from .performance import newest_last
from .samples import Sample
from .words import Performed

_KEPT = 10
_ENOUGH = 5
_SLOWER = 2.0
_BASELINE = 20
_MOST = 3600.0
_DOUBLINGS = 60  # of anything, which is beyond an hour
_FORGOTTEN = 3600.0  # seconds after which an opening no longer makes the next one longer


class Breaker:
    """Opens when half of at least five of the last ten operations on a rung failed, or were slow.

    Slow is beyond `latency` seconds, or the rung's own of `latencies`. Without a latency it is twice as long as this
    operation's usual (the median of the first twenty on that rung while the processors are free), and counts only
    while they are contended: a busy machine alone is no reason, nor is a long question.
    Source: resilience4j's CircuitBreaker (50 % of at least 5 calls); exponential back-off.
    """

    def __init__(self, latency: float | None, retry: float, latencies: Mapping[str, float] | None = None) -> None:
        self._latency, self._retry = latency, retry
        self._latencies = latencies or {}
        self._seen: dict[str, deque[tuple[bool, bool]]] = {}
        self._usual: dict[tuple[str, str], list[float]] = {}
        self._opened: dict[str, tuple[int, float]] = {}

    def performed(self, performed: Performed, sample: Sample | None) -> tuple[str, str] | None:
        """Why the rung's circuit opens at this operation: `failing` or `slow`, and words; None while it is closed."""
        rung = performed.rung
        if rung is None:
            return None
        slow = performed.ok and self._slow(performed, sample)
        seen = self._seen.setdefault(rung, deque(maxlen=_KEPT))
        seen.append((performed.ok, slow))
        failed, late = sum(not ok for ok, _ in seen), sum(slow for _, slow in seen)
        if len(seen) < _ENOUGH or 2 * max(failed, late) < len(seen):
            return None
        count = len(seen)
        seen.clear()
        if failed >= late:
            return "failing", f"{failed} of the last {count} of {performed.operation} on {rung} failed"
        took = f"this one took {performed.seconds:.1f} s"
        return "slow", f"{late} of the last {count} of {performed.operation} on {rung} were slow, {took}"

    def _slow(self, performed: Performed, sample: Sample | None) -> bool:
        latency = self._latencies.get(performed.rung or "", self._latency)
        if latency is not None:
            return performed.seconds > latency
        usual = newest_last(self._usual, (performed.rung or "", performed.operation), list[float])
        if sample is None or not contended(sample):
            if len(usual) < _BASELINE:
                usual.append(performed.seconds)
            return False
        if len(usual) < _ENOUGH:
            return False
        return performed.seconds > _SLOWER * median(usual)

    def open(self, rung: str, time: float) -> float:
        """Set the rung aside: returns until when. Each time in a row twice as long, up to an hour, or to `retry`."""
        times, last = self._opened.get(rung, (0, float("-inf")))
        times = times + 1 if time - last < _FORGOTTEN else 1
        self._opened[rung] = times, time
        return time + min(max(_MOST, self._retry), self._retry * 2.0 ** min(times - 1, _DOUBLINGS))

    def set_back(self, seconds: float) -> None:
        """The clock has gone back by so many seconds."""
        self._opened = {rung: (times, last - seconds) for rung, (times, last) in self._opened.items()}


def contended(sample: Sample) -> bool:
    """More work than processors: nine tenths busy with more than one task for each, or half of the time waiting."""
    stalled = sample.pressure.get("cpu")
    if stalled is not None and stalled.some > 0.5:
        return True
    return sample.cpu is not None and sample.cpu >= 0.9 and sample.load is not None and sample.load > 1.0
