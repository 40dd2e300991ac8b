"""How long before its shortage a planned downgrade was decided."""

from ..rungs import Rung
from ..words import Decision
from .memory import Memory

LOOKOUT = 300.0  # seconds after which a crossing is no longer put down to the decision


class Leads:
    """From each planned downgrade until external use crosses the ceiling that the old rung would have needed."""

    def __init__(self, rungs: dict[str, Rung], lookout: float = LOOKOUT) -> None:
        self._rungs, self._lookout = rungs, lookout
        self._open: list[tuple[Decision, Rung]] = []
        self._found: dict[Decision, float] = {}

    def decided(self, decision: Decision, memory: Memory, now: float) -> None:
        """Watch out for the crossing of this decision, if it is a planned downgrade."""
        source = self._rungs.get(decision.source or "")
        if decision.kind == "downgrade" and decision.urgency == "planned" and source is not None:
            self._open.append((decision, source))
            self.look(memory, now)

    def look(self, memory: Memory, now: float) -> None:
        """At a sample: what has been crossed, and what is no longer waited for."""
        if not self._open:
            return
        left: list[tuple[Decision, Rung]] = []
        for decision, source in self._open:
            if now - decision.time > self._lookout:
                continue
            if memory.crowds_out(source):
                self._found[decision] = max(0.0, now - decision.time)
            else:
                left.append((decision, source))
        self._open = left

    def of(self, decision: Decision) -> float | None:
        """Seconds, or None where the crossing did not come."""
        return self._found.get(decision)
