"""A fleet of nodes that play recordings, and the requests that come to it."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random
from typing import NamedTuple

from ...operators.typing import finite, positive, whole
from ..loading import Recording
from ..rungs import Rung
from ..samples import Sample
from ..settings import Settings
from .course import Course, Ladder, course
from .standing import Standing


class Node:
    """Plays a `course` from an `offset` on, in seconds, and answers one at a time; the others wait in line.

    phase: the part of a report period after which its first regular report comes.
    """

    def __init__(self, course: Course, offset: float, phase: float) -> None:
        self.course, self.offset, self.phase = course, offset, phase
        self._free = 0.0

    def take(self, arrival: float, reply: float) -> tuple[float, Standing | None]:
        """Put a reply of so many seconds in line: when it begins, and how the node stands then; infinite for never."""
        begins, found = self.ready_from(max(arrival, self._free))
        self._free = begins + reply
        return begins, found

    def ready_from(self, time: float) -> tuple[float, Standing | None]:
        begins, found = self.course.ready_from(self.offset + time)
        return max(time, begins - self.offset), found

    def at(self, time: float) -> Standing:
        return self.course.at(self.offset + time)

    def told(self, until: float, report: float) -> Iterator[tuple[float, Standing]]:
        """When news of it come and what they are: at every change where `report` is 0, else once in so many seconds.

        What changes again before it is reported is never told, and what doesn't is not told again.
        """
        due: dict[float, Standing] = {}
        for time, each in self.course.told(self.offset, self.offset + until):
            since = max(0.0, time - self.offset)
            if report and since:
                since = max(since, (math.ceil(since / report - self.phase) + self.phase) * report)
            due[since] = each
        yield from due.items()

    def counted(self, until: float) -> int:
        return self.course.counted(self.offset, self.offset + until)


class SlottedNode(Node):
    """One whose replies begin at multiples of their length only, `slot` seconds, of which there are `slots`."""

    def __init__(self, course: Course, offset: float, phase: float, *, slot: float, slots: int) -> None:
        super().__init__(course, offset, phase)
        self._slot, self._slots = slot, slots

    def ready_from(self, time: float) -> tuple[float, Standing | None]:
        if time < self._slot * self._slots:
            for number in range(round(time / self._slot), self._slots):
                if (found := self.at(number * self._slot)).ready:
                    return number * self._slot, found
        return math.inf, None


class World(NamedTuple):
    """nodes: all of them. requests: seconds at which each comes. seconds: from the begin to the end. reply: seconds
    that one takes."""

    nodes: Sequence[Node]
    requests: Sequence[float]
    seconds: float
    reply: float

    @property
    def slots(self) -> int:
        """How many replies one node can begin."""
        return math.ceil(self.seconds / self.reply)


def world(
    recordings: Sequence[Recording | Iterable[Sample] | Course],
    ladder: Ladder | None,
    settings: Settings | None,
    *,
    nodes: int,
    seconds: float,
    rate: float | None,
    requests: Iterable[float] | None,
    reply: float,
    load_time: float | Callable[[Rung], float] | None,
    slotted: bool,
    seed: int,
) -> World:
    """As `simulate_fleet` says. Equal seeds give equal nodes, the first ones of more, and equal requests."""
    count, seed = whole("nodes", nodes, least=1), whole("seed", seed, least=0)
    lasts, takes = positive("seconds", seconds), positive("reply", reply)
    played = _dealt(recordings, count, Random(f"recordings {seed}"))
    draw = Random(f"nodes {seed}")
    simulated: dict[int, Course] = {}
    for number in played:
        if number not in simulated:
            simulated[number] = _course(recordings[number], ladder, settings, load_time)
    slots = math.ceil(lasts / takes)
    made: list[Node] = []
    for number in played:
        each = simulated[number]
        offset, phase = draw.random() * each.seconds, draw.random()
        made.append(SlottedNode(each, offset, phase, slot=takes, slots=slots) if slotted else Node(each, offset, phase))
    times = _requests(rate, requests, lasts, Random(f"requests {seed}"))
    if slotted:
        times = [math.floor(time / takes) * takes for time in times]
    return World(made, times, lasts, takes)


def _dealt(recordings: Sequence[object], count: int, draw: Random) -> list[int]:
    """The number of a recording for each node: as even as can be, else by chance."""
    if not recordings:
        raise ValueError("recordings must hold at least one recording for the nodes to play, got none")
    found: list[int] = []
    while len(found) < count:
        found += draw.sample(range(len(recordings)), len(recordings))
    return found[:count]


def _course(
    played: Recording | Iterable[Sample] | Course,
    ladder: Ladder | None,
    settings: Settings | None,
    load_time: float | Callable[[Rung], float] | None,
) -> Course:
    if isinstance(played, Course):
        return played
    if ladder is None:
        raise ValueError("ladder must be given for recordings that are not courses yet, got ladder=None")
    return course(played, ladder, settings, load_time=load_time)


def _requests(rate: float | None, times: Iterable[float] | None, seconds: float, draw: Random) -> list[float]:
    if (rate is None) == (times is None):
        raise ValueError(
            f"either rate or requests must be given, got rate={rate!r} and {'no' if times is None else 'also'} requests"
        )
    if rate is not None:
        return list(_poisson(positive("rate", rate), seconds, draw))
    kept = [finite("requests", time) for time in times or ()]
    for earlier, later in zip([0.0, *kept], kept, strict=False):
        if not earlier <= later < seconds:
            raise ValueError(
                f"requests must be seconds from 0 to below seconds={seconds:g}, in their order, "
                f"got {later!r} after {earlier!r}; sort them, or raise seconds"
            )
    return kept


def _poisson(rate: float, seconds: float, draw: Random) -> Iterator[float]:
    time = draw.expovariate(rate)
    while time < seconds:
        yield time
        time += draw.expovariate(rate)
