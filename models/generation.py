"""What a reply is, and how one is asked for."""

from collections.abc import Mapping, Sequence

import msgspec

_CHARACTERS = 3  # to a token


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """max_new_tokens: of the whole reply, over all rungs that write it. temperature: 0 decodes greedily."""

    max_new_tokens: int = 256
    temperature: float = 0.0

    def __post_init__(self) -> None:
        if self.max_new_tokens <= 0:
            raise ValueError(f"max_new_tokens must be above 0, got max_new_tokens={self.max_new_tokens!r}")
        if not self.temperature >= 0:
            raise ValueError(f"temperature must be at least 0, got temperature={self.temperature!r}")


def tokens_of(messages: Sequence[Mapping[str, str]], options: Options, *, context: int) -> int:
    """What a reply's context may come to, in tokens: the prompt at three characters a token, and all it may write.

    Most languages have more characters to a token, so this errs upwards. Never more than `context`: older turns
    are left out to keep a reply within it.

    >>> tokens_of([{"role": "user", "content": "How are you?"}], Options(max_new_tokens=100), context=2048)
    104
    """
    prompt = sum(len(message["content"]) for message in messages)
    return min(context, -(-prompt // _CHARACTERS) + options.max_new_tokens)


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
