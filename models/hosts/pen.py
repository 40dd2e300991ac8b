"""What a model of an app's own needs to write a reply: its text streamed, its end seen, its turns made to fit."""

import time
from collections.abc import Callable

from ..engine.braking import WindUp
from ..replies.conversation import Message, fitted
from ..replies.generation import CHARACTERS, Brake, Written

_FRAME = 8
"""Tokens that a chat template puts around a message, at most: its role, and where it begins and ends."""


class Pen:
    """Streams a reply for `Model.generate`, ends it as the brake tells, and says how it went.

    on_text, brake: what `generate` was given.

    >>> brake, said = Brake(), []
    >>> pen = Pen(said.append, brake)
    >>> pen.write("It is"), brake.wind_up(9), pen.write(" so"), pen.write("."), pen.write(" But")
    (True, None, True, True, False)
    >>> "".join(said), pen.written(prompt=3).end
    ('It is so.', 'wound up')
    """

    def __init__(self, on_text: Callable[[str], None], brake: Brake) -> None:
        self._on_text, self._brake, self._wind_up = on_text, brake, WindUp(brake)
        self._began = time.monotonic()
        self._first = 0.0
        self._tokens = 0
        self._end: str | None = None

    @property
    def stopped(self) -> bool:
        """Ask for no more: another rung goes on. To be asked while a prompt is read, where that can be ended."""
        if self._end is None and self._brake.stopped:
            self._end = "braked"
        return self._end is not None

    def write(self, piece: str) -> bool:
        """Stream `piece`, the text of one token. False once the reply is over; then ask the model for no more."""
        if self._end is not None:
            return False
        if self._wind_up.ends_before(piece):
            self._end = "wound up"
            return False
        if not self._tokens:
            self._first = time.monotonic() - self._began
        self._tokens += 1
        if piece:
            self._on_text(piece)
        if self._wind_up.over:
            self._end = "wound up"
        return not self.stopped

    def written(self, *, prompt: int, length: bool = False) -> Written:
        """How it went. prompt: tokens that were read. length: it has all the tokens that it may have."""
        end = self._end or ("length" if length else "eos")
        return Written(end, prompt, self._tokens, self._first, time.monotonic() - self._began)


def recent(messages: list[Message], tokens: int) -> list[Message]:
    """The latest turns of `messages` that `tokens` hold, at three characters a token, with the system prompt.

    Each message counts 8 tokens more, for what a chat template puts around it. Whole turns are left out, the oldest
    first, and never the newest: whether that fits is for the model to say.

    >>> turns = [{"role": role, "content": 30 * "x"} for role in ("user", "assistant", "user")]
    >>> len(recent(turns, 54)), len(recent(turns, 53)), len(recent(turns, 1))
    (3, 1, 1)
    """

    def fits(some: list[Message]) -> bool:
        return sum(len(message["content"]) + CHARACTERS * _FRAME for message in some) <= CHARACTERS * tokens

    try:
        return fitted(messages, lambda some: some, fits)
    except ValueError:
        return [m for m in messages[:-1] if m["role"] == "system"] + messages[-1:]
