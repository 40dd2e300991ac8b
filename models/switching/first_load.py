"""What a dry run of the manager does carry out."""

from ...pipeline.rungs import Residency
from ...pipeline.words import Decision


class FirstLoad:
    """Lets loads through, one at a time, until one has succeeded; without a model there would be no replies.

    `saw` must get each residency before whoever decides on it does.
    """

    def __init__(self) -> None:
        self._taken = False

    def acts_on(self, decision: Decision) -> bool:
        """Is this the load to carry out? All else is only told."""
        if self._taken or decision.target is None:
            return False
        self._taken = True
        return True

    def saw(self, residency: Residency) -> None:
        if residency.failed is not None:
            self._taken = False
