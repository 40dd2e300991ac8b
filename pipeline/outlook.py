"""Where each pool stands and where it is heading."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from ..operators.lifting import NOTHING, lift
from ..operators.typing import EARLIEST, LATEST, Operator
from .horizons import Horizons
from .rungs import Residency
from .samples import Sample
from .settings import Settings
from .tracking import PoolOutlook, PoolTrack

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["Outlook", "OutlookWindow", "PoolOutlook", "outlook"]


class Outlook(msgspec.Struct, frozen=True, gc=False):
    """All pools at one moment, `time` in seconds; a pool that could not be read is None.

    sample: the reading that it is made from. shift: seconds that a shift may take here. shrink, grow: how far to look
    ahead for either, seconds.
    """

    time: float
    sample: Sample
    pools: dict[str, PoolOutlook | None]
    shift: float
    shrink: float
    grow: float

    def holding(self, own: Mapping[str, int]) -> "Outlook":
        """The same, were `own` bytes of ours in the pools, by name, and nothing else of ours."""
        pools = {name: None if p is None else p.holding(own.get(name, 0)) for name, p in self.pools.items()}
        return msgspec.structs.replace(self, pools=pools)

    def plot(
        self,
        *,
        settings: Settings | None = None,
        pools: str | Sequence[str] | None = None,
        dark: bool = False,
        width: int | None = None,
        height: int | None = None,
    ) -> "Figure":
        """Use now, its forecast, and the bound on it under the ceilings of `settings`: a plotly Figure.

        Args:
            settings: for the ceilings; `Settings()` by default.
            pools: those to show; by default all.
            dark: for a dark background.
            width, height: pixels; by default as wide as there is room, and as high as the pools need.

        Raises:
            ValueError: where no such pool was read.
        """
        from .views.outlook_figure import outlook_figure

        return outlook_figure(self, settings=settings, pools=pools, dark=dark, width=width, height=height)

    def _repr_html_(self) -> str:
        from .views.cards import outlook_html

        return outlook_html(self)


class OutlookWindow:
    """The arithmetic of `outlook`, without Rx. A gap begins everything anew but what was learned of shifts."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._horizons = Horizons(settings)
        self._tracks: dict[str, PoolTrack] = {}
        self._gap = settings.silence
        self._newest = float("nan")  # which no time is near

    def update(self, item: Any) -> Any:
        """A sample to its outlook, NOTHING for one that is older than the newest; anything else as it came."""
        if type(item) is Sample:
            return self.sample(item)
        if isinstance(item, Residency):
            self._horizons.residency(item)
        return item

    def sample(self, sample: Sample) -> Any:
        time, tracks, newest = sample.time, self._tracks, self._newest
        if not newest <= time <= newest + self._gap or not time < LATEST:
            if not EARLIEST < time < LATEST or (-self._gap <= time - newest < 0):
                return NOTHING
            tracks.clear()
        self._newest = time
        seen: dict[str, PoolOutlook | None] = {}
        for name, pool in sample.pools.items():
            if pool is None:
                seen[name] = None
                continue
            track = tracks.get(name)
            if track is None:
                track = tracks[name] = PoolTrack(self._settings.window, self._settings.alpha, self._horizons)
            seen[name] = track.update(pool, time)
        ahead = self._horizons
        return Outlook(time, sample, seen, ahead.shift, ahead.shrink, ahead.grow)


def outlook(settings: Settings) -> Operator[Any, Any]:
    """Samples to outlooks: for each pool the trend of external use, and bounds on it, started anew after a gap.

    Residencies among the samples tell how long shifts take here; these and all other items are handed on. A sample
    that is older than the newest one is left out.
    """
    return lift(lambda: OutlookWindow(settings).update)
