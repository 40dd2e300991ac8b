"""What a reply is, and how one is asked for."""

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import Any

import msgspec

from ...operators.typing import whole

CHARACTERS = 3
"""To a token."""
_COLDEST = 1e-6  # logits that are divided by much less are no numbers any more


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a reply is to be written.

    max_new_tokens: tokens of the whole reply, over all rungs that write it, at least 1. temperature: how much is left
    to chance, from 0.000001 up; 0 decodes greedily. stop: texts that end the reply where one of them would begin; it is
    not in the reply. sampling: further fields of transformers' `GenerationConfig`, such as `{"top_p": 0.9,
    "repetition_penalty": 1.1}`. Raises TypeError, ValueError, naming the field.
    """

    max_new_tokens: int = 256
    temperature: float = 0.0
    stop: tuple[str, ...] = ()
    sampling: dict[str, Any] = {}

    def __post_init__(self) -> None:
        whole("max_new_tokens", self.max_new_tokens, least=1)
        if isinstance(self.temperature, bool) or not isinstance(self.temperature, Real):
            raise TypeError(f"temperature must be a number, got temperature={self.temperature!r}")
        if self.temperature != 0 and not _COLDEST <= self.temperature < math.inf:
            raise ValueError(
                f"temperature must be 0 or from {_COLDEST:g} up, and finite, got temperature={self.temperature!r}"
            )
        if not isinstance(self.stop, tuple) or not all(isinstance(text, str) and text for text in self.stop):
            raise TypeError(f"stop must be a tuple of texts that aren't empty, got stop={self.stop!r}")
        if not isinstance(self.sampling, dict) or not all(isinstance(name, str) for name in self.sampling):
            raise TypeError(f"sampling must be a dict of GenerationConfig's fields, got sampling={self.sampling!r}")


def tokens_of(messages: Sequence[Mapping[str, str]], options: Options, *, context: int) -> int:
    """What a reply's context may come to, in tokens: the prompt at three characters a token, and all it may write.

    Most languages have more characters to a token, so this errs upwards. Never more than `context`: older turns
    are left out to keep a reply within it.

    >>> tokens_of([{"role": "user", "content": "How are you?"}], Options(max_new_tokens=100), context=2048)
    104
    """
    prompt = sum(len(message["content"]) for message in messages)
    return min(context, -(-prompt // CHARACTERS) + options.max_new_tokens)


class Brake:
    """How a reply is told to end early: at once, or soon and in good order. Thread-safe.

    >>> brake = Brake()
    >>> brake.wind_up(48)
    >>> brake.stopped, brake.left
    (False, 48)
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stopped, self._left = False, None
        self._watchers: list[Callable[[Brake], None]] = []

    @property
    def stopped(self) -> bool:
        """The reply is to stop at the next token; another rung goes on with it."""
        return self._stopped

    @property
    def left(self) -> int | None:
        """The reply is to end with its sentence, within so many tokens from when that was told; None: as it likes."""
        return self._left

    def stop(self) -> None:
        """The reply is to stop at the next token."""
        self._stopped = True
        self._tell()

    def wind_up(self, tokens: int) -> None:
        """The reply is to end with its sentence, within so many `tokens`. Only the first call counts."""
        with self._lock:
            if self._left is not None:
                return
            self._left = tokens
        self._tell()

    def watch(self, told: Callable[["Brake"], None]) -> Callable[[], None]:
        """Call `told` at each change, and at once where there was one. Returns what ends that."""
        with self._lock:
            self._watchers.append(told)
            changed = self._stopped or self._left is not None
        if changed:
            told(self)

        def unwatch() -> None:
            with self._lock:
                self._watchers = [each for each in self._watchers if each is not told]

        return unwatch

    def _tell(self) -> None:
        with self._lock:
            watchers = list(self._watchers)
        for told in watchers:
            told(self)


class Written(msgspec.Struct, frozen=True):
    """How one rung's part of a reply ended. end: `eos`, `length`, `wound up`, `braked`.

    prompt, tokens: how many were read and written. first, seconds: until the first token, and in all.
    """

    end: str
    prompt: int
    tokens: int
    first: float
    seconds: float

    @property
    def finished(self) -> bool:
        """The reply has come to its end."""
        return self.end != "braked"


class Reply(str):
    """The text of a reply, as a `str`, and how it came about.

    rungs: all that wrote it, in order; none where it was called off before its first word. degraded: whether a rung
    below the top of the ladder wrote any of it. end: `eos` (the model was done), `length` (max_new_tokens), `wound up`
    (brought to the end of a sentence before a shift), `cancelled`, `context` (the rung that took over has none for the
    question). tokens: written, over all rungs. prompt_tokens: read by the first rung, without older turns that its
    context had no room for; 0 where none came to write. seconds: from question to end. first_seconds: from question
    to first text, None where there was none.
    """

    rungs: tuple[str, ...]
    degraded: bool
    end: str
    tokens: int
    prompt_tokens: int
    seconds: float
    first_seconds: float | None

    def __new__(
        cls, text: str, *, rungs: tuple[str, ...], degraded: bool, seconds: float, end: str = "eos", tokens: int = 0,
        prompt_tokens: int = 0, first_seconds: float | None = None,
    ) -> "Reply":  # fmt: skip
        reply = super().__new__(cls, text)
        reply.rungs, reply.degraded, reply.seconds = rungs, degraded, seconds
        reply.end, reply.tokens, reply.first_seconds = end, tokens, first_seconds
        reply.prompt_tokens = prompt_tokens
        return reply

    @property
    def rung(self) -> str | None:
        """Which wrote its end."""
        return self.rungs[-1] if self.rungs else None

    @property
    def cut(self) -> bool:
        """It ended before the model was done and before what was asked for."""
        return self.end in ("wound up", "cancelled", "context")

    def _repr_html_(self) -> str:
        from ...pipeline.views.html import record_html

        return record_html(
            self,
            headline=self,
            fields=("rungs", "degraded", "end", "tokens", "prompt_tokens", "seconds", "first_seconds"),
        )
