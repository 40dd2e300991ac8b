"""A recording as one who knows its future sees it: until when something can be held."""

import math
from collections.abc import Callable, Mapping, Sequence

from ..samples import Sample


class Future:
    """times: the simulated machine's clock at each sample, seconds; it stands still at a sample that is earlier than
    one before. passes: whether time passes between a sample and the next. readable: pools that a sample tells of.
    """

    def __init__(self, samples: Sequence[Sample], limit: Callable[[str, int], float]) -> None:
        self.times = _clock([sample.time for sample in samples])
        self.passes = [after > now for now, after in zip(self.times, [*self.times[1:], -math.inf], strict=False)]
        self.readable = [{name for name, pool in sample.pools.items() if pool is not None} for sample in samples]
        self._room: dict[str, list[float]] = {}
        for name in dict.fromkeys(name for sample in samples for name in sample.pools):
            room, rooms = math.inf, []
            for sample, passes in zip(samples, self.passes, strict=True):
                pool = sample.pools.get(name)
                if pool is not None:
                    room = math.floor(limit(name, pool.total)) - pool.external
                rooms.append(room if passes else math.inf)
            self._room[name] = rooms

    def over(self, own: Mapping[str, int]) -> list[int]:
        """By sample, the number of the next one from it on, itself included, after which `own`, bytes by pool, would be
        over the ceiling; the number of samples where none follows.

        A pool that a sample can't tell of stays as it was, as on the simulated machine.
        """
        found = end = len(self.times)
        nexts = [end] * end
        held = [(self._room[name], count) for name, count in own.items() if count > 0 and name in self._room]
        for i in range(end - 1, -1, -1):
            for room, count in held:
                if count > room[i]:
                    found = i
                    break
            nexts[i] = found
        return nexts


def _clock(times: Sequence[float]) -> list[float]:
    now = next((time for time in times if math.isfinite(time)), 0.0)
    clock: list[float] = []
    for time in times:
        now = time if now < time < math.inf else now
        clock.append(now)
    return clock
