"""What a simulation found out."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ..rungs import Residency, Rung
from ..samples import Pool
from ..settings import Settings
from ..words import Decision

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


class Moment(NamedTuple):
    """The machine at a sample, `time` in seconds: its pools, as last read, with what is held of ours.

    rung: what is loaded, answering or not. serving: it answers.
    """

    time: float
    pools: dict[str, Pool]
    rung: str | None
    serving: bool

    @property
    def external(self) -> dict[str, int]:
        """Bytes that everyone else holds, by pool."""
        return {name: pool.external for name, pool in self.pools.items()}

    @property
    def used(self) -> dict[str, int]:
        """Bytes in use, by pool; more than the pool has where it was short."""
        return {name: pool.used for name, pool in self.pools.items()}


class Shift(NamedTuple):
    """A `decision` that was carried out.

    began, ended: seconds on the clock of the samples. lead: seconds from the decision until external use would have
    crossed the ceiling with the old rung still there, for planned downgrades; None where it never did.
    """

    decision: Decision
    began: float
    ended: float
    lead: float | None = None

    def _repr_html_(self) -> str:
        from ..views.html import record_html

        return record_html(self)


class Simulation(msgspec.Struct, frozen=True, kw_only=True):
    """One policy over one recording: `policy` is its name.

    seconds: simulated. time_by_rung: seconds for which each rung answered, None for none. mean_quality: of the
    answering rung over time, in units of the rungs' quality, 0 while none answers. effective_quality: the same, in the
    same units, and 0 too while a pool that holds the model is above the ceiling (quality × availability, as "effective
    accuracy" in Zhang et al., "Model-Switching", HotCloud 2020). above_seconds: seconds above the ceiling with a model
    there. overcommit_seconds: seconds above the whole of a pool with a model there. kills: how many models were killed
    for lack of memory. decisions: all that the policy made. shifts: changes of the rung, the first load not counted.
    timeline: a Moment for each sample, before what is decided on it. residencies: what was loaded, from when. replies:
    how many were written to their end. waited: seconds for which requests stood in line, all added up. ladder,
    settings: what was simulated.
    """

    policy: str
    seconds: float
    time_by_rung: dict[str | None, float]
    mean_quality: float
    effective_quality: float
    above_seconds: float
    overcommit_seconds: float
    kills: int
    shifts: tuple[Shift, ...]
    decisions: tuple[Decision, ...]
    timeline: tuple[Moment, ...]
    residencies: tuple[Residency, ...] = ()
    ladder: tuple[Rung, ...] = ()
    settings: Settings = Settings()
    replies: int = 0
    waited: float = 0.0

    @property
    def leads(self) -> tuple[float, ...]:
        """Lead times of the planned downgrades whose crossing came, seconds."""
        return tuple(shift.lead for shift in self.shifts if shift.lead is not None)

    def plot(
        self,
        *,
        pools: str | Sequence[str] | None = None,
        dark: bool = False,
        width: int | None = None,
        height: int | None = None,
    ) -> "Figure":
        """Memory, forecasts and decisions over time: a plotly Figure.

        Args:
            pools: those to show; by default all.
            dark: for a dark background.
            width, height: pixels; by default as wide as there is room, and as high as the pools need.

        Raises:
            ValueError: where there is nothing to draw, or no such pool.
        """
        from ..views.figures import figure
        from ..views.timeline import timeline

        return figure(timeline(self), pools=pools, dark=dark, width=width, height=height)

    def _repr_html_(self) -> str:
        from ..views.cards import simulation_html

        return simulation_html(self)
