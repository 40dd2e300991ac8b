"""Time on a simulated machine, added up while it passes."""

from collections.abc import Sequence

from ..rungs import Rung


class Meter:
    """Seconds by what went on in them. Between two changes of the machine everything is constant, so sums are exact."""

    def __init__(self, ladder: Sequence[Rung]) -> None:
        self.by_rung: dict[str | None, float] = {**{rung.name: 0.0 for rung in ladder}, None: 0.0}
        self.seconds = self.above = self.short = self.waited = 0.0
        self._quality = self._effective = 0.0

    def add(self, seconds: float, *, answering: Rung | None, above: bool, short: bool, waiting: int) -> None:
        """`seconds` have passed like this. waiting: requests that nobody answered meanwhile."""
        self.seconds += seconds
        self.waited += seconds * waiting
        self.by_rung[answering.name if answering is not None else None] += seconds
        if answering is not None:
            self._quality += seconds * answering.quality
            if not above:
                self._effective += seconds * answering.quality
        if above:
            self.above += seconds
        if short:
            self.short += seconds

    @property
    def mean_quality(self) -> float:
        return self._quality / self.seconds if self.seconds > 0 else 0.0

    @property
    def effective_quality(self) -> float:
        return self._effective / self.seconds if self.seconds > 0 else 0.0
