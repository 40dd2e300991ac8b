"""The best that a placement could have done, had it known the future."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ...operators.typing import positive
from ..loading import Recording
from ..rungs import Rung
from ..samples import Sample
from ..settings import Settings
from .course import Course, Ladder
from .result import FleetSimulation, Tally
from .standing import Standing
from .world import world

_MOST = 20_000_000
"""Pairs of a request and a begin of a reply: eight bytes each, three times over, are half a gigabyte."""


def fleet_oracle(
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
    load_time: float | Callable[[Rung], float] | None = None,
    seed: int = 0,
) -> FleetSimulation:
    """The largest mean value that any placement can reach on a small fleet: a bound to measure regret by.

    It is exact for `simulate_fleet` with the same arguments and `slotted=True`. There a reply begins at the begin of a
    slot, on a node that is ready then, and takes that slot; so what can be done is to give each request one pair of
    node and slot, or none, and no pair twice: an assignment problem.

    Args:
        recordings, ladder, settings, nodes, rate, requests, seconds, reply, report, load_time, seed: as for
            `simulate_fleet`, with the same units: seconds, and requests a second.

    Raises:
        ImportError: without scipy. ValueError: for more than 20 million pairs of a request and a slot of a node that is
            ready in it; and as `simulate_fleet`. TypeError: as there.

    Source: H. W. Kuhn, "The Hungarian method for the assignment problem" (1955), as solved by
    `scipy.optimize.linear_sum_assignment` (D. F. Crouse, "On implementing 2D rectangular assignment algorithms", 2016).

    >>> from gearshift.pipeline import load
    >>> ladder = [Rung("large", {"ram": 18_500_000_000}), Rung("small", {"ram": 4_000_000_000}, quality=0.7)]
    >>> played = [load(f"tests/recordings/{name}.jsonl") for name in ("leak", "build")]
    >>> round(fleet_oracle(played, ladder, nodes=2, rate=0.2, seconds=600, load_time=3.0).mean_value, 2)
    0.79
    """
    period = positive("report", report)
    here = world(
        recordings, ladder, settings, nodes=nodes, seconds=seconds, rate=rate, requests=requests, reply=reply,
        load_time=load_time, slotted=True, seed=seed,
    )  # fmt: skip
    begins = [number * here.reply for number in range(here.slots)]
    seen = ((slot, node.at(time)) for node in here.nodes for slot, time in enumerate(begins))
    places = [(slot, standing) for slot, standing in seen if standing.ready]
    asked = [round(time / here.reply) for time in here.requests]
    if len(places) * len(asked) > _MOST:
        raise ValueError(
            f"fleet_oracle is for small fleets, up to {_MOST:,} pairs of a request and a node's slot, got "
            f"{len(asked):,} × {len(places):,}; lower nodes, rate or seconds"
        )
    tally = Tally(here)
    for request, place in _assigned(asked, places):
        slot, standing = places[place]
        if asked[request] <= slot:
            tally.add(here.requests[request], begins[slot], standing)
    return tally.told("oracle", period)


def _assigned(asked: Sequence[int], places: Sequence[tuple[int, Standing]]) -> Iterable[tuple[int, int]]:
    """A place for each request, by their numbers. Places before the request are among them: those are no answers."""
    numpy, solve = _solver()
    slots = numpy.array([slot for slot, _ in places], dtype=float)
    quality = numpy.array([standing.quality for _, standing in places])
    late = slots[None, :] - numpy.array(asked, dtype=float)[:, None]
    value = numpy.where(late >= 0, quality / (1 + numpy.maximum(late, 0)), 0.0)
    rows, columns = solve(value, maximize=True)
    return zip(rows.tolist(), columns.tolist(), strict=True)


def _solver() -> tuple[Any, Any]:
    try:
        import numpy
        from scipy.optimize import linear_sum_assignment
    except ImportError as error:
        raise ImportError(f"fleet_oracle needs scipy ({error}); run: pip install scipy") from None
    return numpy, linear_sum_assignment
