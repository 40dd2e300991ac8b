"""What a reply is, and how one is asked for."""

import msgspec


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """max_new_tokens: of the whole reply, over all rungs that write it. temperature: 0 decodes greedily."""

    max_new_tokens: int = 256
    temperature: float = 0.0

    def __post_init__(self) -> None:
        if self.max_new_tokens <= 0:
            raise ValueError(f"max_new_tokens must be above 0, got max_new_tokens={self.max_new_tokens!r}")
        if not self.temperature >= 0:
            raise ValueError(f"temperature must be at least 0, got temperature={self.temperature!r}")


class Braked(Exception):
    """A generation was told to stop; what it wrote so far stands."""


class Reply(str):
    """The text of a reply.

    rung: which wrote its end. rungs: all that wrote it, in order. degraded: whether a rung below the top of the
    ladder wrote any of it. seconds: from question to end.
    """

    rungs: tuple[str, ...]
    degraded: bool
    seconds: float

    def __new__(cls, text: str, *, rungs: tuple[str, ...], degraded: bool, seconds: float) -> "Reply":
        reply = super().__new__(cls, text)
        reply.rungs, reply.degraded, reply.seconds = rungs, degraded, seconds
        return reply

    @property
    def rung(self) -> str:
        return self.rungs[-1]
