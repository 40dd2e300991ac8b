"""The streams of a scaler, and who tells them."""

from collections.abc import Callable
from typing import NamedTuple

from reactivex import Observable, Subject

from .outlook import Outlook
from .samples import Sample
from .shielding import shielded
from .teller import Teller
from .words import Asked, Decision, Performed


class AtOnce(NamedTuple):
    """Streams told by whichever thread made the item, in the midst of it: for what only takes note."""

    samples: Observable[Sample]
    decisions: Observable[Decision]


class Streams:
    """`samples`, `outlooks`, `decisions` and `asked`.

    Args:
        teller: tells them, for others too. given: a source was, which tells them itself where there is no teller.
    """

    def __init__(self, teller: Teller | None, *, given: bool) -> None:
        self._samples: Subject[Sample] = Subject()
        self._outlooks: Subject[Outlook] = Subject()
        self._decisions: Subject[Decision] = Subject()
        self._asked: Subject[Asked | Performed] = Subject()
        self._own_teller = Teller() if teller is None and not given else None
        self.teller = teller or self._own_teller
        tell = shielded if self.teller is None else self.teller.aside
        self.samples, self.outlooks, self.decisions = map(tell, (self._samples, self._outlooks, self._decisions))
        self.asked: Observable[Asked | Performed] = tell(self._asked)
        self.at_once = AtOnce(shielded(self._samples), shielded(self._decisions))

    def _last(self, stop: Callable[[], None]) -> None:
        """`stop`, after which nothing is told any more: from inside a subscriber at once, else what there is before."""
        own = self._own_teller
        if own is not None and own.inside:
            own.drop()
        stop()
        if own is not None:
            own.wait()
