"""Decisions as log records and as counts."""

import logging
import threading
from collections import Counter

from .words import Decision

log = logging.getLogger("gearshift.pipeline")


class DecisionLog:
    """Logs each decision that it is given, once, and counts them. Thread-safe.

    A record has level INFO for a planned decision and WARNING for an immediate one or a shed. Beside `decision`, the
    object, it has flat fields that any JSON formatter can take: `gearshift_kind`, `gearshift_source`,
    `gearshift_target` (None: nothing), `gearshift_urgency`, `gearshift_rule`, `gearshift_time` (seconds, on the clock
    of the samples) and `gearshift_dry_run`.
    """

    def __init__(self, *, dry_run: bool = False) -> None:
        self._dry_run = dry_run
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str, str]] = Counter()

    @property
    def counts(self) -> dict[tuple[str, str, str], int]:
        """How many there were so far, by kind, urgency and rule; a copy, which later ones don't change."""
        with self._lock:
            return dict(self._counts)

    def write(self, decision: Decision) -> None:
        with self._lock:
            self._counts[decision.kind, decision.urgency, decision.reason.rule] += 1
        fields = {
            "decision": decision,
            "gearshift_kind": decision.kind,
            "gearshift_source": decision.source,
            "gearshift_target": decision.target,
            "gearshift_urgency": decision.urgency,
            "gearshift_rule": decision.reason.rule,
            "gearshift_time": decision.time,
            "gearshift_dry_run": self._dry_run,
        }
        grave = decision.urgency == "immediate" or decision.kind == "shed"
        words = f"dry run: {decision.explain()}" if self._dry_run else decision.explain()
        log.log(logging.WARNING if grave else logging.INFO, "%s", words, extra=fields)
