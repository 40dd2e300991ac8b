"""A policy that carries out a plan."""

from collections.abc import Mapping

from ..rungs import Residency
from ..samples import Sample
from ..words import Decision


class Scripted:
    """Decides what was written down before, whatever happens: `plan` holds a decision by the number of its sample.

    Samples are counted from 0, the earlier and the repeated ones too.
    """

    def __init__(self, plan: Mapping[int, Decision]) -> None:
        self._plan, self._number = plan, -1

    def sample(self, sample: Sample) -> Decision | None:  # noqa: ARG002
        self._number += 1
        return self._plan.get(self._number)

    def residency(self, residency: Residency) -> Decision | None:  # noqa: ARG002
        return None

    def request(self, time: float) -> Decision | None:  # noqa: ARG002
        return None
