"""A span for each shift, and one within it for each of its parts."""

import time

from opentelemetry.context import Context
from opentelemetry.trace import StatusCode, Tracer, set_span_in_context

from ..sources import event_time
from .events import outcome_name
from .following import Ended
from .instruments import MANAGER


def tell_shift(tracer: Tracer, manager: str, outcome: Ended) -> None:
    """Tell how an action ended as a span `gearshift.shift`, from when it began to when it ended.

    Its attributes are what was decided, and how it ended; its children `gearshift.shift.wait`, `.unload` and `.load`.
    One that failed, or whose rung was lost, has the status error. It stands for itself: it has no parent.
    """
    began, decision = _wall_began(), outcome.decision

    def at(moment: float) -> int:
        return began + round(moment * 1e9)

    name = outcome_name(outcome)
    attributes = {
        MANAGER: manager,
        "gearshift.decision.kind": decision.kind,
        "gearshift.decision.urgency": decision.urgency,
        "gearshift.decision.rule": decision.reason.rule,
        "gearshift.decision.explanation": decision.explain(),
        "gearshift.rung.source": decision.source or "",
        "gearshift.rung.target": decision.target or "",
        "gearshift.outcome": name,
        "gearshift.outcome.reason": outcome.reason,
        "error.type": name if outcome.kind == "failed" else "",
    }
    span = tracer.start_span(
        "gearshift.shift", Context(), attributes={key: value for key, value in attributes.items() if value},
        start_time=at(outcome.time - outcome.seconds),
    )  # fmt: skip
    inside = set_span_in_context(span, Context())
    for part, since, until in outcome.course:
        tracer.start_span(f"gearshift.shift.{part}", inside, start_time=at(since)).end(at(until))
    if outcome.kind == "failed":
        span.set_status(StatusCode.ERROR, outcome.reason)
    span.end(at(outcome.time))


def _wall_began() -> int:
    """Nanoseconds since 1970 at which the clock of outcomes stood at 0, as the wall clock is set now."""
    return time.time_ns() - round(event_time() * 1e9)
