"""Where a model lives. A host loads and unloads rungs, and knows what they hold."""

import threading
from collections.abc import Callable
from typing import Protocol

from ...pipeline.probes.ram import Own
from ..conversation import Message
from ..generation import Options
from ..ladder import ModelSpec


class Model(Protocol):
    """A loaded rung. `generate` streams into `on_text`; True at the reply's end, False when braked."""

    def generate(
        self,
        messages: list[Message],
        partial: str,
        options: Options,
        on_text: Callable[[str], None],
        brake: threading.Event,
    ) -> bool: ...

    def close(self) -> None: ...


class Host(Protocol):
    """`load` raises LoadError; `unload` returns the bytes expected back and those that came."""

    def load(self, spec: ModelSpec) -> Model: ...

    def unload(self, name: str, model: Model) -> tuple[int, int]: ...

    def own(self) -> Own: ...
