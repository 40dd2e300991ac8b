"""Requests on a simulated machine, and the replies to them: one at a time, each on whatever rung is there."""

import math
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple


class Request(NamedTuple):
    """Somebody asks at `time`, seconds on the clock of the samples. prompt, generated: tokens."""

    time: float
    prompt: int
    generated: int


def every(
    seconds: float, *, prompt: int, generated: int, until: float = math.inf, since: float = 0.0
) -> Iterator[Request]:
    """A request each `seconds` from `since` on, and before `until`: seconds on the clock of the samples.

    prompt, generated: tokens of each.

    Raises ValueError for `seconds` that are not above 0.

    >>> [request.time for request in every(20, prompt=100, generated=50, until=60)]
    [0.0, 20.0, 40.0]
    """
    if not (math.isfinite(seconds) and seconds > 0):
        raise ValueError(f"seconds between requests must be above 0, got seconds={seconds!r}")
    return _every(seconds, prompt, generated, until, since)


def _every(seconds: float, prompt: int, generated: int, until: float, since: float) -> Iterator[Request]:
    count = 0
    while (time := since + count * seconds) < until:
        yield Request(time, prompt, generated)
        count += 1


class _Reply:
    __slots__ = ("began", "cached", "left")

    def __init__(self, request: Request) -> None:
        self.began, self.cached, self.left = 0.0, float(request.prompt), float(request.generated)


class Replies:
    """The reply in progress and those that wait. A braked one comes first again, with all that it had written.

    ends: when the reply in progress is written, infinite while there is none. finished: replies written.
    """

    def __init__(self, tokens_per_second: float) -> None:
        self._rate = tokens_per_second
        self._waiting: deque[_Reply] = deque()
        self._running: _Reply | None = None
        self.ends = math.inf
        self.finished = 0

    @property
    def running(self) -> bool:
        return self._running is not None

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def ask(self, request: Request) -> None:
        self._waiting.append(_Reply(request))

    def start(self, now: float) -> None:
        """Begin the next reply, when one waits and none is in progress."""
        if self._running is None and self._waiting:
            self._running = self._waiting.popleft()
            self._running.began = now
            self.ends = now + self._running.left / self._rate

    def end(self) -> None:
        """The reply in progress is written."""
        self._running, self.ends = None, math.inf
        self.finished += 1

    def brake(self, now: float) -> None:
        """Stop the reply in progress, if any, and put it first in the queue."""
        if self._running is not None:
            written = self._written(self._running, now)
            self._running.cached += written
            self._running.left -= written
            self._waiting.appendleft(self._running)
            self._running, self.ends = None, math.inf

    def tokens(self, now: float) -> int:
        """Tokens in the cache: the prompt, and what has been written."""
        return int(self._running.cached + self._written(self._running, now)) if self._running is not None else 0

    def _written(self, reply: _Reply, now: float) -> float:
        return min(reply.left, (now - reply.began) * self._rate)
