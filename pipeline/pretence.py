"""What a dry run takes as loaded."""

from collections.abc import Sequence

from .outlook import Outlook
from .rungs import Residency, Rung
from .words import Decision


class Pretence:
    """Takes each decision as carried out at once, so that the next ones are those of a real run.

    What is really loaded counts until the first decision, and after it where it tells how the load went that the last
    decision asked for.

    >>> from gearshift.pipeline.words import Decision, Reason
    >>> pretence = Pretence([Rung("large", {"ram": 500}), Rung("small", {"ram": 100})])
    >>> pretence.done(Decision("downgrade", "large", "small", "planned", 7.0, Reason("forecast"))).rung
    'small'
    >>> pretence.believes(Residency(8.0, "ready", "large"))
    False
    """

    def __init__(self, ladder: Sequence[Rung]) -> None:
        self._needs: dict[str | None, dict[str, int]] = {rung.name: rung.need for rung in ladder}
        self._decided = False
        self._target: str | None = None
        self._loaded: str | None = None

    def believes(self, real: Residency) -> bool:
        """Does this, which is really loaded, count?"""
        self._loaded = real.rung if real.state == "ready" else None
        if real.need:
            self._needs[real.failed or real.rung] = real.need
        if real.failed is not None:
            self._target = real.rung
            return True
        if not self._decided:
            return True
        return real.state == "ready" and real.rung == self._target

    def done(self, decision: Decision) -> Residency:
        """What would be loaded now."""
        self._decided, self._target = True, decision.target
        return carried_out(decision)

    def shown(self, seen: Outlook) -> Outlook:
        """The same machine with that loaded: in each pool what others hold, and the rung's need."""
        if not self._decided or (self._target is not None and self._target == self._loaded):
            return seen
        needs = self._needs.get(self._target, {})
        return seen.holding(needs)


def carried_out(decision: Decision) -> Residency:
    """What is loaded if it is carried out at once."""
    return Residency(decision.time, "empty" if decision.target is None else "ready", decision.target)
