"""A fake that loads in no time, for tests of apps and of gearshift."""

from collections.abc import Callable

from .conversation import Message
from .generation import Brake, Options, Written
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
        brake: Brake,
    ) -> Written:
        assert not self.closed and messages
        done = len(partial.split())
        for i in range(done, options.max_new_tokens):
            if brake.stopped:
                return Written("braked", 1, i - done, 0.0, 0.0)
            if self._gate is not None:
                self._gate()
            on_text(f"word{i} ")
        return Written("length", 1, max(0, options.max_new_tokens - done), 0.0, 0.0)

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
