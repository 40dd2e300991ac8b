"""How a reply is written: by one rung, or by several in turn when memory or a failure asks for it."""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from ..failures import ModelError, OutOfMemory, WorkerLost, out_of_memory
from ..hosts import Model
from ..switching.switcher import Lease
from .conversation import Message
from .generation import Options, Reply, tokens_of
from .limits import STUCK, Limits

if TYPE_CHECKING:
    from .guarding import Guard
    from .waiting import Waiting


log = logging.getLogger("gearshift.models")


class Draft:
    """A reply on its way: what there is of it, and who wrote it. raised: what `on_text` did, which ends the reply.

    begun: its first words, where another manager gave them.
    """

    def __init__(
        self, options: Options, limits: Limits, on_text: Callable[[str], None] | None, begun: str = ""
    ) -> None:
        self.options, self.limits, self._on_text = options, limits, on_text
        self._pieces = [begun] if begun else []
        self.rungs: list[str] = []
        self.tokens = self.prompt_tokens = 0
        self.end = ""
        self.first_seconds: float | None = None
        self.raised: Exception | None = None

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    @property
    def full(self) -> bool:
        """It has all the tokens that it may have."""
        return self.tokens >= self.options.max_new_tokens

    def by(self, rung: str) -> None:
        if not self.rungs or self.rungs[-1] != rung:
            self.rungs.append(rung)

    def take(self, piece: str) -> None:
        if self.first_seconds is None:
            self.first_seconds = self.limits.seconds
        self._pieces.append(piece)
        if self._on_text is not None and self.raised is None:
            try:
                self._on_text(piece)
            except Exception as error:  # noqa: BLE001 - whatever an app raises is no failure of the model
                self.raised = error

    def reply(self, top: str) -> Reply:
        return Reply(
            self.text, rungs=tuple(self.rungs), degraded=any(rung != top for rung in self.rungs), end=self.end,
            tokens=self.tokens, prompt_tokens=self.prompt_tokens, seconds=self.limits.seconds,
            first_seconds=self.first_seconds,
        )  # fmt: skip


class Answering:
    """Writes replies on the rungs that `waiting` leases.

    Args:
        named: the messages as a rung is to get them, for its name.
        kill: ends the worker of a rung, by name and with a reason, where it hangs; None where that can't be done.
        again: try a rung that failed once more, where no other takes over.
    """

    def __init__(
        self,
        waiting: "Waiting",
        guard: "Guard",
        named: Callable[[list[Message], str], list[Message]],
        *,
        kill: Callable[[str, str], None] | None = None,
        again: bool = True,
    ) -> None:
        self._waiting, self._guard, self._named, self._kill, self._again = waiting, guard, named, kill, again

    def write(self, messages: list[Message], draft: Draft) -> None:
        """Fill the draft until its `end`.

        A rung that is braked or fails is followed by the next, which goes on from the words already there.
        Raises ModelError, NoRungFits, ReplyTimeout, ShutDown, ValueError for a message or an option that can't be used,
        and what `on_text` raised; the draft stands.
        """
        lost: Model | None = None
        again = self._again
        while not draft.end:
            with self._waiting.lease(draft.limits, lost) as lease:
                failure = self._part(lease, messages, draft) if lease is not None else None
                lost = lease.model if lease is not None and failure and isinstance(failure.error, WorkerLost) else None
            if draft.raised is not None:
                raise draft.raised
            if failure is not None and failure.stays and not draft.end:
                if not again:
                    raise failure.error
                again = False
            if not draft.end and draft.limits.over:
                if not draft.limits.cancelled:
                    raise draft.limits.too_late()
                draft.end = "cancelled"

    def _part(self, lease: Lease, messages: list[Message], draft: Draft) -> "_Failure | None":
        """One rung's part, if it fits still; how it failed, if it did."""
        spec, options = lease.spec, draft.options
        told = self._named(messages, spec.name)
        if not self._guard.passes(spec, tokens_of(told, options, context=spec.context)):
            return None
        pieces, began = 0, time.monotonic()

        def take(piece: str) -> None:
            nonlocal pieces
            pieces += 1
            draft.by(spec.name)
            draft.take(piece)
            if draft.raised is not None:
                lease.brake.stop()

        try:
            with draft.limits.minding(lease.brake, self._killing(spec.name), lambda: self._waiting.closed):
                written = lease.model.generate(told, draft.text, options, take, lease.brake)
        except ValueError as error:
            if not draft.text:
                raise
            # it began on a rung with a longer context: what there is of it is the reply
            log.warning("a reply ends where it is, as %s can't go on with it: %s", spec.name, error)
            draft.end = "context"
            return None
        except Exception as error:  # noqa: BLE001 - a model of an app's own may raise anything
            failure = as_model_error(error)
        else:
            draft.tokens += written.tokens
            draft.prompt_tokens = draft.prompt_tokens or written.prompt
            self._guard.wrote(written)
            if written.finished or draft.full:
                draft.by(spec.name)
                draft.end = written.end if written.finished else "length"
            return None
        draft.tokens += pieces  # it can't tell how many tokens these were, and each was one at least
        if draft.full:
            draft.end = "length"
        return _Failure(failure, not self._guard.failed(spec, failure, time.monotonic() - began))

    def _killing(self, rung: str) -> Callable[[], None] | None:
        kill = self._kill
        return None if kill is None else lambda: kill(rung, f"did not stop within {STUCK:g} s and was killed")


class _Failure(NamedTuple):
    """stays: no other rung takes over."""

    error: ModelError
    stays: bool


def as_model_error(error: Exception) -> ModelError:
    """Without a traceback: its frames would keep the failed rung's tensors while the next one is loaded."""
    if isinstance(error, ModelError):
        error.__cause__ = error.__context__ = None
        return error.with_traceback(None)
    kind = OutOfMemory if out_of_memory(error) else ModelError
    return kind(f"{type(error).__name__}: {error}")
