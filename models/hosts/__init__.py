"""Where a model lives. A host loads and unloads rungs, and knows what they hold."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from ...pipeline.probes.ram import Own
from ..ladders.ladder import ModelSpec
from ..replies.conversation import Message
from ..replies.generation import Brake, Options, Written

__all__ = ["Freed", "Host", "Model"]


class Freed(NamedTuple):
    """Bytes that an unload should have given back, and those that it did."""

    expected: int
    got: int


class Model(Protocol):
    """A loaded rung, one reply at a time."""

    def generate(
        self,
        messages: list[Message],
        partial: str,
        options: Options,
        on_text: Callable[[str], None],
        brake: Brake,
    ) -> Written:
        """Stream what follows `partial` into `on_text`.

        Raises ModelError (OutOfMemory, WorkerLost), and ValueError for a message or an option that can't be used.
        """
        ...

    def close(self) -> None: ...


class Host(Protocol):
    """Thread-safe. Loads are one at a time."""

    def load(self, spec: ModelSpec) -> Model:
        """Load it with its weights in memory, and prove by a step that it works. Raises LoadError."""
        ...

    def unload(self, name: str, model: Model) -> Freed:
        """Give its memory back, and verify that by measuring. Works on one that is lost, too."""
        ...

    def held(self, name: str) -> dict[str, int]:
        """Bytes by pool that a loaded rung was measured to hold when its load ended."""
        ...

    def own(self) -> Own:
        """RAM that all rungs hold now; cheap enough for every sample."""
        ...

    def on_lost(self, tell: Callable[[str, str], None]) -> None:
        """Call `tell(name, reason)` when a loaded rung is lost. It may come from any thread."""
        ...

    def cancel(self) -> None:
        """End a load that is under way, where that can be done: it raises LoadError. Harmless when there is none."""
        ...

    def close(self) -> None:
        """End all that the host keeps: models, workers, servers, threads. Idempotent."""
        ...
