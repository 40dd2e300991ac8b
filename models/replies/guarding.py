"""What the decisions learn from replies, and what replies ask of them."""

from collections.abc import Callable

from ...pipeline.scaler import ProactiveScaler
from ..failures import ModelError, OutOfMemory, WorkerLost
from ..ladders.ladder import ModelSpec
from .generation import Written

REPLY = 64
"""Tokens of the reply that is timed: two or three sentences."""

PROMPT = 256
"""Tokens up to which a prompt counts as it is."""


def seconds_of(written: Written) -> float | None:
    """How long a short reply takes at this pace, in seconds; None where the pace doesn't show.

    What is compared with the usual, and with the latency, must not grow with the length of a reply or of its prompt:
    else long answers, and conversations that have grown, would look like a slow machine. So the time to the first token
    counts for a prompt of at most `PROMPT` tokens (a prefill takes about as long as its prompt is), and the time after
    it for `REPLY` tokens.

    >>> seconds_of(Written("eos", prompt=2560, tokens=101, first=2.0, seconds=12.0))
    6.6
    """
    if written.tokens < 2:
        return None
    pace = (written.seconds - written.first) / (written.tokens - 1)
    return round(written.first * min(1.0, PROMPT / max(written.prompt, 1)) + pace * REPLY, 6)


class Guard:
    """Checks a rung before it answers, and sees to it that another takes over when it can't.

    Args:
        dry: in a dry run no other rung takes over, and the check is of the rung that would be resident.
        ran_out: told of a rung that ran out of memory.
        because: told why a downgrade is asked for: its words, and the cause (`memory`, `failing`).
    """

    def __init__(
        self,
        scaler: ProactiveScaler,
        *,
        dry: bool,
        ran_out: Callable[[ModelSpec], None],
        because: Callable[[str, str], None],
    ) -> None:
        self._scaler, self._dry, self._ran_out, self._because = scaler, dry, ran_out, because

    def passes(self, spec: ModelSpec, tokens: int) -> bool:
        """The pre-flight check. False when the rung no longer fits, and a smaller one is on its way."""
        found = self._scaler.check_preflight_resources("generate", None if self._dry else spec.name, tokens=tokens)
        if found.ok or not found.known:
            return True
        return not self._leave(found.reason, "memory") or self._dry

    def wrote(self, written: Written) -> None:
        """A part of a reply ended well."""
        seconds = seconds_of(written)
        if seconds is not None:
            self._scaler.record_performance("generate", seconds, ok=True)

    def failed(self, spec: ModelSpec, error: ModelError, seconds: float) -> bool:
        """A rung failed while it answered. Does another take over?"""
        if isinstance(error, WorkerLost):
            return True  # the switcher has been told of that, and tells the decisions
        self._scaler.record_performance("generate", seconds, ok=False)
        if isinstance(error, OutOfMemory):
            self._ran_out(spec)
        cause = "memory" if isinstance(error, OutOfMemory) else "failing"
        return self._leave(f"a reply on {spec.name} failed: {error}", cause) and not self._dry

    def _leave(self, why: str, cause: str) -> bool:
        self._because(why, cause)
        return self._scaler.initiate_graceful_degradation(why, immediate=True) is not None
