"""How a node stands over the time of a recording that it plays."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import TypeAlias

import msgspec

from ...operators.lifting import NOTHING
from ..loading import Recording
from ..outlook import Outlook, OutlookWindow
from ..rungs import Residency, Rung, checked_ladder
from ..samples import Sample
from ..settings import Settings
from ..simulation.fitting import fitted
from ..simulation.policies import Gearshift
from ..simulation.simulate import simulate
from ..words import Decision
from .standing import Standing, standing

Ladder: TypeAlias = Sequence[Rung] | Callable[[Sequence[Sample]], Sequence[Rung]]
"""Rungs, best first, or what makes them for the samples of a machine."""


class Course(msgspec.Struct, frozen=True):
    """What a node tells and does over a recording, which begins anew when it has ended.

    seconds: how long it lasts. times: seconds from its begin at which each of `standings` begins, ascending, the first
    one 0. standings: one for each change of the rung, of its readiness or of its room; the rest of it is as it was
    then. changes: seconds from its begin of each decision and residency, ascending.

    Raises ValueError for seconds that are not above 0, for no standings, and for others than there are times.
    """

    seconds: float
    times: tuple[float, ...]
    standings: tuple[Standing, ...]
    changes: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not (math.isfinite(self.seconds) and self.seconds > 0):
            raise ValueError(
                f"a recording must last some seconds to be played, got seconds={self.seconds!r}; leave it out"
            )
        if not self.times or self.times[0] != 0 or len(self.times) != len(self.standings):
            raise ValueError(
                f"a course needs a standing for each of its times, and 0.0 for the first one, "
                f"got {len(self.standings)} standings for {len(self.times)} times"
            )

    def at(self, time: float) -> Standing:
        """The standing at `time`, seconds from the first begin of the recording."""
        return self.standings[bisect_right(self.times, time % self.seconds) - 1]

    def ready_from(self, time: float) -> tuple[float, Standing | None]:
        """The first moment from `time` on at which the node answers, and how it stands then.

        time: seconds from the first begin of the recording, as the moment is. Infinite, and None, where it never
        answers.
        """
        lap, within = divmod(time, self.seconds)
        here = bisect_right(self.times, within) - 1
        if self.standings[here].ready:
            return time, self.standings[here]
        count = len(self.times)
        for place in chain(range(here + 1, count), range(count, count + here)):
            further, number = divmod(place, count)
            if self.standings[number].ready:
                return (lap + further) * self.seconds + self.times[number], self.standings[number]
        return math.inf, None

    def told(self, since: float, until: float) -> Iterator[tuple[float, Standing]]:
        """The standing at `since`, and each that begins before `until`: seconds from the recording's first begin."""
        yield since, self.at(since)
        lap, within = divmod(since, self.seconds)
        number = bisect_right(self.times, within)
        while True:
            for time, each in zip(self.times[number:], self.standings[number:], strict=True):
                if (begins := lap * self.seconds + time) >= until:
                    return
                yield begins, each
            lap, number = lap + 1, 0

    def counted(self, since: float, until: float) -> int:
        """How many changes there are from `since` on, before `until`: seconds from the recording's first begin."""
        return self._before(until) - self._before(since)

    def _before(self, time: float) -> int:
        laps, within = divmod(time, self.seconds)
        return int(laps) * len(self.changes) + bisect_left(self.changes, within)


def course(
    samples: Recording | Iterable[Sample],
    ladder: Ladder,
    settings: Settings | None = None,
    *,
    load_time: float | Callable[[Rung], float] | None = None,
) -> Course:
    """What gearshift does on a machine in the company that a recording tells of, as its fleet gets to know it.

    It is `simulate`d once, without replies: they decide nothing. At every sample and residency `standing` tells how the
    node stands, by the outlook that its decisions were made on.

    Args:
        samples, settings, load_time: as for `simulate`; `load_time` in seconds.
        ladder: rungs, best first, or a function that makes them for the samples.

    Raises:
        ValueError, TypeError: as `simulate`; for samples that pass in no time; for qualities below 0.

    >>> from gearshift.pipeline import load
    >>> ladder = [Rung("large", {"ram": 18_500_000_000}), Rung("small", {"ram": 4_000_000_000}, quality=0.7)]
    >>> found = course(load("tests/recordings/leak.jsonl"), ladder, load_time=3.0)
    >>> [(round(time, 1), told.rung) for time, told in zip(found.times, found.standings) if told.ready and told.roomy]
    [(3.0, 'large'), (25.5, 'small')]
    """
    kept = samples.samples if isinstance(samples, Recording) else list(samples)
    rungs = checked_ladder(ladder(kept) if callable(ladder) else ladder)
    if rungs[-1].quality < 0:
        raise ValueError(f"quality must be at least 0 to be weighed against a wait, got {rungs[-1]!r}; raise them all")
    chosen = settings if settings is not None else fitted(Settings(), kept)
    watched = _Watched(rungs, chosen)
    found = simulate(kept, rungs, chosen, load_time=load_time, policy=watched)
    begin = found.timeline[0].time if found.timeline else 0.0
    times, standings = watched.told(begin)
    changes = sorted([*(each.time for each in found.decisions), *(each.time for each in found.residencies)])
    return Course(found.seconds, times, standings, tuple(max(0.0, time - begin) for time in changes))


class _Watched:
    """Gearshift as a policy, and how the node that obeys it stands meanwhile."""

    def __init__(self, ladder: Sequence[Rung], settings: Settings) -> None:
        self._policy = Gearshift(ladder, settings)
        self._ladder, self._settings = ladder, settings
        self._window = OutlookWindow(settings)
        self._outlook: Outlook | None = None
        self._residency = Residency(0.0)
        self._clock = -math.inf
        self._told: dict[float, Standing] = {}

    def sample(self, sample: Sample) -> Decision | None:
        seen = self._window.sample(sample)
        if seen is not NOTHING:
            self._outlook = seen
            self._tell(sample.time)
        return self._policy.sample(sample)

    def residency(self, residency: Residency) -> Decision | None:
        self._residency = residency
        self._window.update(residency)
        self._tell(residency.time)
        return self._policy.residency(residency)

    def request(self, time: float) -> Decision | None:
        return self._policy.request(time)

    def _tell(self, time: float) -> None:
        if self._outlook is not None:
            self._clock = max(self._clock, time)
            self._told[self._clock] = standing("", self._outlook, self._residency, self._ladder, self._settings)

    def told(self, begin: float) -> tuple[tuple[float, ...], tuple[Standing, ...]]:
        """Seconds from `begin`, and the standings that differ from the ones before them."""
        kept = [(0.0, Standing("", begin))]
        for time, each in self._told.items():
            after, (last, before) = max(0.0, time - begin), kept[-1]
            if after == last:
                kept[-1] = (after, each)
            elif (each.rung, each.ready, each.roomy) != (before.rung, before.ready, before.roomy):
                kept.append((after, each))
        times, standings = zip(*kept, strict=True)
        return times, standings
