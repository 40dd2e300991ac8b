"""Where a model lives. A host loads and unloads rungs, and knows what they hold.

For another library than transformers write a `Model`, with `Pen` and `recent`, and give what loads it to `InlineHost`.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from ...pipeline.probes.ram import Own
from ..ladders.ladder import ModelSpec
from ..replies.conversation import Message
from ..replies.generation import Brake, Options, Written
from .pen import Pen, recent

__all__ = ["Brake", "Freed", "Host", "Message", "Model", "ModelSpec", "Options", "Own", "Pen", "Written", "recent"]


class Freed(NamedTuple):
    """Bytes that an unload should have given back (`expected`), and those that it did (`got`)."""

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
        """Stream the answer into `on_text`, and say how it ended.

        Args:
            messages: the conversation, as chat messages; the user's is the last.
            partial: what there is of the answer already, by another rung: write what follows it.
            options: how long it may become, how tokens are chosen, what ends it.
            on_text: takes each piece as it comes, on the calling thread.
            brake: to be looked at before each token: it stops the answer, or asks for an end with the sentence.

        Raises:
            ModelError: or OutOfMemory, WorkerLost: what was streamed stands, and another rung goes on.
            ValueError: for a message or an option that can't be used.
        """
        ...

    def close(self) -> None:
        """Stop the reply that is being written, if any, and let go of all memory. Idempotent."""
        ...


class Host(Protocol):
    """Thread-safe. Loads are one at a time."""

    def load(self, spec: ModelSpec) -> Model:
        """Load `spec` with its weights in memory, and prove by a step that it works. Raises LoadError."""
        ...

    def unload(self, name: str, model: Model) -> Freed:
        """Give back the memory of the rung `name`, loaded as `model`, and verify that by measuring.

        Works on one that is lost, too.
        """
        ...

    def held(self, name: str) -> dict[str, int]:
        """Bytes by pool that the loaded rung `name` was measured to hold when its load ended."""
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
