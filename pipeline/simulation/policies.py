"""What the simulated machine asks of a policy, and gearshift's own."""

from collections.abc import Sequence
from typing import Protocol

from reactivex import Subject

from ..decisions import decision_stream
from ..rungs import Residency, Rung
from ..samples import Sample
from ..settings import Settings
from ..words import Decision


class Policy(Protocol):
    """Decides on a simulated machine. Each call may return a decision; the machine obeys the latest."""

    def sample(self, sample: Sample) -> Decision | None:
        """The next `sample` of the machine, with what it holds of ours as `own`."""
        ...

    def residency(self, residency: Residency) -> Decision | None:
        """What is loaded has changed, to `residency`: a shift begins or ends, or the model was killed (`failed`)."""
        ...

    def request(self, time: float) -> Decision | None:
        """Somebody asks for a reply, at `time`, seconds on the clock of the samples."""
        ...


class Gearshift:
    """`decision_stream` as a policy, for a `ladder`, best first, and `settings`."""

    def __init__(self, ladder: Sequence[Rung], settings: Settings) -> None:
        self._samples: Subject[Sample] = Subject()
        self._residencies: Subject[Residency] = Subject()
        self._made: Decision | None = None
        decision_stream(self._samples, self._residencies, ladder, settings).subscribe(self._take, self._broken)

    def _take(self, decision: Decision) -> None:
        self._made = decision

    @staticmethod
    def _broken(error: Exception) -> None:
        raise error

    def _newest(self) -> Decision | None:
        made, self._made = self._made, None
        return made

    def sample(self, sample: Sample) -> Decision | None:
        """What is decided on this `sample`."""
        self._samples.on_next(sample)
        return self._newest()

    def residency(self, residency: Residency) -> Decision | None:
        """What is decided because of this `residency`."""
        self._residencies.on_next(residency)
        return self._newest()

    def request(self, time: float) -> Decision | None:  # noqa: ARG002 - samples and residencies are all that it needs
        """Nothing: a request at `time` (seconds) is no reason to shift."""
        return None
