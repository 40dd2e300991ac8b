"""A fake that loads in no time, for tests of apps and of gearshift."""

import threading
from collections.abc import Callable

from .conversation import Message
from .generation import Options
from .ladder import ModelSpec


class FakeModel:
    """Answers `word0 word1 …` up to max_new_tokens, naming no real model. `gate`, where given, is awaited per word."""

    def __init__(self, spec: ModelSpec, gate: Callable[[], None] | None) -> None:
        self.spec, self._gate, self.closed = spec, gate, False

    def generate(
        self,
        messages: list[Message],
        partial: str,
        options: Options,
        on_text: Callable[[str], None],
        brake: threading.Event,
    ) -> bool:
        assert not self.closed and messages
        for i in range(len(partial.split()), options.max_new_tokens):
            if brake.is_set():
                return False
            if self._gate is not None:
                self._gate()
            on_text(f"word{i} ")
        return True

    def close(self) -> None:
        self.closed = True


class FakeLoader:
    """For `InlineHost(load=FakeLoader())`. Remembers what it loaded; raises for the names in `broken`."""

    def __init__(self, *, broken: tuple[str, ...] = (), gate: Callable[[], None] | None = None) -> None:
        self.broken, self._gate = broken, gate
        self.loaded: list[FakeModel] = []

    def __call__(self, spec: ModelSpec) -> FakeModel:
        if spec.name in self.broken:
            raise RuntimeError(f"{spec.name} is broken on purpose")
        self.loaded.append(FakeModel(spec, self._gate))
        return self.loaded[-1]
