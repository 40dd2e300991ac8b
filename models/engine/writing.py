"""A reply while it is written: what transformers calls with each token, and how it ended."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from ..replies.generation import Brake, Written
from .braking import Braked, WindUp
from .decoding import Pieces, Stops


class Writing:
    """Turns tokens into text for `on_text`, and ends the generation by raising Braked from within it.

    error: what `on_text` raised, which ended the reply.
    """

    def __init__(self, on_text: Callable[[str], None], brake: Brake, closing: Callable[[], bool]) -> None:
        self._on_text, self._brake, self._closing = on_text, brake, closing
        self._began = time.monotonic()
        self._first = self._seconds = 0.0
        self._prompt = self._limit = 0
        self._end: str | None = None
        self.tokens = 0
        self.begun = self.reading = False
        self.error: Exception | None = None

    def begin(
        self, prompt: Sequence[int], limit: int, ends: Sequence[int], pieces: Pieces, stops: Sequence[str]
    ) -> None:
        """prompt: the tokens to be read. limit: those to be written. ends: those that end it. stops: as in `Stops`."""
        self._prompt, self._limit, self._ends = len(prompt), limit, frozenset(ends)
        self._pieces, self._stops, self._wind_up = pieces, Stops(stops), WindUp(self._brake)
        self.begun = True

    def hearing(self, first: Callable[[], None]) -> Any:
        """As a streamer for transformers. `first` is called before the first token is taken in."""
        from transformers.generation.streamers import BaseStreamer

        writing = self

        class Streamer(BaseStreamer):
            prompt = True

            def put(self, value: Any) -> None:
                if self.prompt:
                    self.prompt = False
                    return
                if not writing.tokens:
                    first()
                for token in value.reshape(-1).tolist():
                    writing.take(token)

            def end(self) -> None:
                """What is held back is seen to by `finish`."""

        return Streamer()

    def stopped(self) -> bool:
        """Asked before each layer of a prefill."""
        self.reading = True
        if self._brake.stopped or self._closing():
            self._end = "braked"
            return True
        return False

    def take(self, token: int) -> None:
        """Raises Braked when the reply is over with it, or already was."""
        if not self.tokens:
            self._first = time.monotonic() - self._began
        if token in self._ends:
            self.tokens += 1
            self._end = "eos"
            return
        piece = self._pieces.add(token)
        if self._wind_up.ends_before(piece):
            self._over("wound up")
        self.tokens += 1
        self._say(self._stops.add(piece))
        if self._stops.found:
            self._over("eos")
        if self._wind_up.over:
            self._over("wound up")
        if self.tokens < self._limit and self.stopped():
            self._over("braked")

    def finish(self) -> None:
        """The generation has ended by itself."""
        self._say(self._stops.rest())

    def written(self) -> Written:
        end = self._end or ("length" if self.tokens >= self._limit else "eos")
        return Written(end, self._prompt, self.tokens, self._first, time.monotonic() - self._began)

    def _over(self, end: str) -> None:
        self._end = end
        if not self._stops.found:
            self._say(self._stops.rest())
        raise Braked

    def _say(self, text: str) -> None:
        if not text:
            return
        try:
            self._on_text(text)
        except Exception as error:  # noqa: BLE001 - the app's own; `generate` raises it again
            self.error, self._end = error, "braked"
            raise Braked from None
