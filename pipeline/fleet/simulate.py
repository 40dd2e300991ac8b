"""A placement on a simulated fleet."""

import math
from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush

from ...operators.typing import positive
from ..loading import Recording
from ..rungs import Rung
from ..samples import Sample
from ..settings import Settings
from .choosing import Chooser, Named, Score, chooser
from .course import Course, Ladder
from .result import FleetSimulation, Tally
from .standing import Standing
from .world import World, world


def simulate_fleet(
    recordings: Sequence[Recording | Iterable[Sample] | Course],
    ladder: Ladder | None = None,
    settings: Settings | None = None,
    *,
    nodes: int,
    rate: float | None = None,
    requests: Iterable[float] | None = None,
    seconds: float = 3600.0,
    reply: float = 5.0,
    report: float = 5.0,
    placement: Named | Score = "merit",
    load_time: float | Callable[[Rung], float] | None = None,
    slotted: bool = False,
    seed: int = 0,
) -> FleetSimulation:
    """What a placement would have made of a fleet whose nodes have the company that recordings tell of.

    Each node plays one of the recordings, from a moment of its own, and begins it anew when it has ended. What a node
    decides is its own matter, whatever the fleet does. So each recording is simulated once (see `course`), and every
    node that plays it stands as that simulation did: a thousand nodes cost no more simulations than there are
    recordings, and each request only what finding its node takes.

    A node answers one at a time, the others wait in line, in their order. No reply begins on a node that isn't ready:
    where it shifts, or has nothing loaded, the line waits. One that has begun is written to its end, by the rung that
    began it. Replies that have not begun when the time is over stay unanswered.

    The placement sees what each node reported last, and counts what it has placed there itself.

    Args:
        recordings: to play, shuffled and dealt out as evenly as can be; those that are courses already are not
            simulated again, which saves time where they are played in several fleets.
        ladder: rungs, best first, or a function that makes them for the samples of a recording. None where all of
            the recordings are courses.
        settings: as for `simulate`.
        nodes: how many, at least 1.
        rate: requests a second for the whole fleet, at random (Poisson); or `requests`.
        requests: seconds from the begin at which each comes, in their order.
        seconds: from the begin to the end.
        reply: seconds that one takes, on any rung.
        report: seconds from one report of a node to its next. Each has its own phase; the first reports come at 0.
        placement: "merit" takes the best node by `merit`, as it was reported; "fresh" the same as it is at that very
            moment; "fewest waiting" joins the shortest line, blind to rungs; "round robin" takes one after the other,
            "random" any. A function takes the largest of what it gives for a standing (None before the first report)
            and the replies before the next one. Of equals the node with the lowest number.
        load_time: seconds, as for `simulate`.
        slotted: time passes in slots of the length of a reply. A request counts as come at the begin of its slot, and
            replies begin only then: the world of `fleet_oracle`.
        seed: a whole number of at least 0, for what is left to chance. Equal seeds give equal nodes and requests,
            whatever the placement is.

    Raises:
        ValueError, TypeError: for a parameter that is out of range, naming it; for a recording that passes in no time;
            and as `simulate`.

    Source: the slowdown of D. Feitelson et al., "Theory and Practice in Parallel Job Scheduling" (1997).

    >>> from gearshift.pipeline import load
    >>> ladder = [Rung("large", {"ram": 18_500_000_000}), Rung("small", {"ram": 4_000_000_000}, quality=0.7)]
    >>> played = [load(f"tests/recordings/{name}.jsonl") for name in ("leak", "build")]
    >>> found = simulate_fleet(played, ladder, nodes=20, rate=2.0, seconds=600, load_time=3.0)
    >>> found.requests, round(found.mean_value, 2), round(found.messages, 1)
    (1220, 0.94, 6.8)
    >>> blind = simulate_fleet(played, ladder, nodes=20, rate=2.0, seconds=600, load_time=3.0, placement="random")
    >>> round(blind.mean_value, 2)
    0.69
    """
    period = positive("report", report)
    here = world(
        recordings, ladder, settings, nodes=nodes, seconds=seconds, rate=rate, requests=requests, reply=reply,
        load_time=load_time, slotted=slotted, seed=seed,
    )  # fmt: skip
    choose = chooser(placement, len(here.nodes), seed)
    tally = Tally(here)
    _run(here, choose, tally, _news(here, 0.0 if placement == "fresh" else period) if choose.sees else [])
    return tally.told(placement if isinstance(placement, str) else _name(placement), period)


def _news(here: World, report: float) -> list[tuple[float, int, Standing]]:
    """What nodes tell, in the order of its times."""
    told = (
        (time, number, each) for number, node in enumerate(here.nodes) for time, each in node.told(here.seconds, report)
    )
    return sorted(told, key=lambda news: news[:2])


def _run(here: World, choose: Chooser, tally: Tally, news: Sequence[tuple[float, int, Standing]]) -> None:
    """Requests in their order, with all that is told and written before each."""
    ends: list[tuple[float, int]] = []
    coming = iter(news)
    told = next(coming, None)
    for arrival in here.requests:
        while told is not None and told[0] <= arrival:
            choose.tell(told[1], told[2])
            told = next(coming, None)
        while ends and ends[0][0] <= arrival:
            choose.ended(heappop(ends)[1])
        number = choose.place()
        begins, standing = here.nodes[number].take(arrival, here.reply)
        if begins < math.inf:
            heappush(ends, (begins + here.reply, number))
        if standing is not None and begins < here.seconds:
            tally.add(arrival, begins, standing)


def _name(placement: Score) -> str:
    return getattr(placement, "__name__", type(placement).__name__)
