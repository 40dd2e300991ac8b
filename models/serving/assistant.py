"""What the app asks of whatever answers."""

from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, Protocol

from reactivex import Observable

from ..ladders.spec import ModelSpec
from ..replies.generation import Options, Reply
from ..replies.streaming import ReplyStream
from ..telling.notices import Notice


class Assistant(Protocol):
    """A `ModelManager`, or a fleet of them. ladder: its rungs, best first. rung: the best that answers now."""

    @property
    def ladder(self) -> Iterable[ModelSpec]: ...

    @property
    def rung(self) -> str | None: ...

    @property
    def notices(self) -> Observable[Notice]: ...

    def generate_response(
        self, message: Sequence[Mapping[str, str]], /, *, options: Options | None = None, timeout: float | None = None
    ) -> Coroutine[Any, Any, Reply]: ...

    def stream_response(
        self, message: Sequence[Mapping[str, str]], /, *, options: Options | None = None, timeout: float | None = None
    ) -> ReplyStream: ...
