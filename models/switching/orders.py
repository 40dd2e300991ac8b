"""What is to be done: the latest decision, those that it took the place of, and rungs that were lost."""

from typing import NamedTuple

from ...pipeline.words import Decision
from .leases import Leases, Loaded


class Loss(NamedTuple):
    """A host's word that a rung is gone. loaded: what that was; None where it was not known to be loaded."""

    name: str
    reason: str
    loaded: Loaded | None
    current: bool


class Orders:
    """From any thread to the switcher's. The condition of the leases guards it."""

    def __init__(self, leases: Leases) -> None:
        self._leases, self._changed = leases, leases.changed
        self._superseded: list[Decision] = []
        self._losses: list[Loss] = []
        self.wanted: Decision | None = None
        self.acting = self.closed = False

    @property
    def idle(self) -> bool:
        with self._changed:
            return not self.acting and self.wanted is None and not self._superseded and not self._losses

    @property
    def pressing(self) -> bool:
        """A newer decision waits, or the end."""
        with self._changed:
            return self.closed or self.wanted is not None

    @property
    def urgent(self) -> bool:
        """The newer one is immediate, or the end waits."""
        with self._changed:
            return self.closed or (self.wanted is not None and self.wanted.urgency == "immediate")

    def elsewhere(self, name: str) -> bool:
        """Is something else than `name` wanted by now?"""
        with self._changed:
            return self.closed or (self.wanted is not None and self.wanted.target != name)

    def put(self, decision: Decision) -> bool:
        """False after the end: nothing is taken any more."""
        with self._changed:
            if self.closed:
                return False
            if self.wanted is not None:
                self._superseded.append(self.wanted)
            self.wanted = decision
            self._leases.coming, self._leases.urgent = True, decision.urgency == "immediate"
            self._changed.notify_all()
            return True

    def lost(self, loss: Loss) -> None:
        with self._changed:
            self._losses.append(loss)
            self._leases.coming = True  # what is decided on it may be
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self.closed = self._leases.closed = True
            if self.wanted is not None:
                self._superseded.append(self.wanted)
                self.wanted = None
            self._changed.notify_all()

    def begin(self) -> None:
        """Wait until there is something to do, or the end. Until `done`, it is under way."""
        with self._changed:
            self._changed.wait_for(lambda: not self.idle or self.closed)
            self.acting = True

    def take(self) -> Decision | None:
        """The decision to act on, if there is one."""
        with self._changed:
            decision, self.wanted = self.wanted, None
            self._leases.draining = decision is not None and decision.urgency == "immediate"
            self._leases.urgent = False
            return decision

    def done(self) -> None:
        with self._changed:
            self.acting = self._leases.draining = False
            self._leases.coming = self.wanted is not None
            self._changed.notify_all()

    def superseded(self) -> list[Decision]:
        with self._changed:
            taken, self._superseded = self._superseded, []
            self._changed.notify_all()
            return taken

    def losses(self) -> list[Loss]:
        """Of what was loaded."""
        with self._changed:
            taken = [loss for loss in self._losses if loss.loaded is not None]
            self._losses = []
            self._changed.notify_all()
            return taken

    def lost_unknown(self, name: str) -> str | None:
        """Why a rung was lost that nobody knew to be loaded: one that is being loaded, or has just been."""
        with self._changed:
            found = next((loss for loss in self._losses if loss.loaded is None and loss.name == name), None)
            self._losses = [loss for loss in self._losses if loss.loaded is not None or loss.name != name]
            return found.reason if found is not None else None
