"""What the simulation of a fleet found out."""

import msgspec

from .standing import Standing
from .world import World


class FleetSimulation(msgspec.Struct, frozen=True, kw_only=True):
    """One placement over one fleet: `placement` is its name, and `nodes` how many there were.

    seconds: simulated. requests: how many came. answered: how many replies began before the end, by the rung that
    wrote them. mean_value: over all requests, the quality of the rung divided by the slowdown (wait and reply, as times
    the reply alone), in units of the rungs' quality; 0 for one that isn't answered. mean_quality: over all replies, in
    the same units. waited: seconds from a request to its reply, the mean over all replies. busy: the share of the
    nodes' time that replies took. messages: how many a second come to the view of the fleet: a report of each node in
    every period, and each decision and residency.
    """

    placement: str
    nodes: int
    seconds: float
    requests: int
    answered: dict[str, int]
    mean_value: float
    mean_quality: float
    waited: float
    busy: float
    messages: float

    def _repr_html_(self) -> str:
        from ..views.html import record_html

        return record_html(self)


class Tally:
    """Replies, added up."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._answered: dict[str, int] = {}
        self._value = self._quality = self._waited = self._busy = 0.0
        self._count = 0

    def add(self, arrival: float, begins: float, standing: Standing) -> None:
        """A reply to a request of `arrival` that `begins` then, on a node that stands so."""
        wait, reply = begins - arrival, self._world.reply
        self._value += standing.quality * reply / (wait + reply)
        self._quality += standing.quality
        self._waited += wait
        self._busy += min(reply, self._world.seconds - begins)
        self._answered[standing.rung or ""] = self._answered.get(standing.rung or "", 0) + 1
        self._count += 1

    def told(self, placement: str, report: float) -> FleetSimulation:
        """All of it, with a report of each node in every period of so many seconds."""
        nodes, seconds, asked = self._world.nodes, self._world.seconds, len(self._world.requests)
        written = self._count or 1
        return FleetSimulation(
            placement=placement,
            nodes=len(nodes),
            seconds=seconds,
            requests=asked,
            answered=self._answered,
            mean_value=self._value / (asked or 1),
            mean_quality=self._quality / written,
            waited=self._waited / written,
            busy=self._busy / (len(nodes) * seconds),
            messages=len(nodes) / report + sum(node.counted(seconds) for node in nodes) / seconds,
        )
