"""What is recorded when it happens: shifts and replies."""

from collections.abc import Iterator

from .following import Answered, Ended, Followed
from .instruments import Instrument, Point

_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_SHIFT_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0)
_REPLY = ("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model")
_DONE = ("loaded", "handed over", "unloaded")

SHIFT = Instrument(
    "gearshift.shift.duration", "histogram", "s", "How long actions took, by what was decided and how they ended.",
    ("gearshift.decision.kind", "gearshift.outcome"), buckets=_SHIFT_SECONDS,
)  # fmt: skip
PART = Instrument(
    "gearshift.shift.part.duration", "histogram", "s", "What the time of shifts that were carried out went into.",
    ("gearshift.shift.part",), buckets=_SHIFT_SECONDS,
)  # fmt: skip
REPLIES = Instrument(
    "gearshift.replies", "counter", "{reply}", "Replies, by the rung that wrote their end and by how they ended.",
    ("gearshift.rung", "gearshift.reply.end"),
)  # fmt: skip
DURATION = Instrument(
    "gen_ai.server.request.duration", "histogram", "s", "From question to the end of the reply.",
    (*_REPLY, "error.type", "gearshift.degraded"), buckets=_SECONDS,
)  # fmt: skip
FIRST = Instrument(
    "gen_ai.server.time_to_first_token", "histogram", "s", "From question to first text, of replies that ended well.",
    _REPLY, buckets=(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
)  # fmt: skip
PACE = Instrument(
    "gen_ai.server.time_per_output_token", "histogram", "s",
    "Time for each token after the first, of replies that ended well.", _REPLY,
    buckets=(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5),
)  # fmt: skip
TOKENS = Instrument(
    "gen_ai.client.token.usage", "histogram", "{token}", "Tokens of a reply, read and written.",
    (*_REPLY, "gen_ai.token.type"), buckets=tuple(float(4**n) for n in range(14)),
)  # fmt: skip

EVENTS = (SHIFT, PART, REPLIES, DURATION, FIRST, PACE, TOKENS)


def of_outcome(outcome: Ended) -> Iterator[tuple[Instrument, Point]]:
    """What to record of an action that has ended."""
    yield SHIFT, ((outcome.decision.kind, outcome_name(outcome)), outcome.seconds)
    if outcome.kind in _DONE:
        yield PART, (("wait",), outcome.waited)
        yield PART, (("unload",), outcome.unload)
        yield PART, (("load",), outcome.load)


def outcome_name(outcome: Ended) -> str:
    """Its kind, and `lost` for a rung that was gone after it had been loaded."""
    return "lost" if outcome.lost else outcome.kind


def of_reply(followed: Followed, reply: Answered) -> Iterator[tuple[Instrument, Point]]:
    """What to record of a reply that has ended. A rung that no longer is on the ladder counts as none."""
    names = [rung.name for rung in followed.scaler.ladder]
    rung = reply.rung if reply.rung is not None and reply.rung in names else ""
    who = ("chat", "gearshift", names[0] if names else "", rung)
    yield REPLIES, ((rung, "failed" if reply.error else reply.end), 1)
    yield DURATION, ((*who, reply.error, str(reply.degraded).lower()), reply.seconds)
    if not reply.error and reply.first_seconds is not None:
        yield FIRST, (who, reply.first_seconds)
        if reply.tokens > 1:
            yield PACE, (who, max(0.0, reply.seconds - reply.first_seconds) / (reply.tokens - 1))
    if reply.prompt_tokens is not None:
        yield TOKENS, ((*who, "input"), reply.prompt_tokens)
    if reply.tokens:
        yield TOKENS, ((*who, "output"), reply.tokens)
