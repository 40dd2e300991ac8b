"""Fakes that load in no time, for tests of apps and of gearshift."""

import threading
from collections.abc import Callable

from ..pipeline.probes.ram import Own
from .failures import LoadError, WorkerLost
from .hosts import Freed
from .ladders.ladder import ModelSpec
from .replies.conversation import Message
from .replies.generation import Brake, Options, Written


class FakeModel:
    """Answers `word0 word1 …` up to max_new_tokens, naming no real model; one word is one token.

    `gate`, where given, is awaited per word. Keeps what it was asked in `asked`: messages and partial. A brake that
    winds it up ends it after the next word in 4 or 9, which stand for the ends of sentences.
    """

    def __init__(self, spec: ModelSpec, gate: Callable[[], None] | None = None) -> None:
        self.spec, self._gate, self.closed, self.lost = spec, gate, False, False
        self.asked: list[tuple[list[Message], str]] = []

    def generate(
        self,
        messages: list[Message],
        partial: str,
        options: Options,
        on_text: Callable[[str], None],
        brake: Brake,
    ) -> Written:
        assert not self.closed and messages
        self.asked.append((messages, partial))
        done = len(partial.split())
        for i in range(done, options.max_new_tokens):
            if self.lost:
                raise WorkerLost(f"{self.spec.name}: its worker was killed by signal 9")
            if brake.stopped:
                return self._written("braked", i - done)
            if self._gate is not None:
                self._gate()
            on_text(f"word{i} ")
            if brake.left is not None and i % 5 == 4:
                return self._written("wound up", i - done + 1)
        return self._written("length", max(0, options.max_new_tokens - done))

    @staticmethod
    def _written(end: str, tokens: int) -> Written:
        return Written(end, prompt=1, tokens=tokens, first=0.0, seconds=0.0)

    def close(self) -> None:
        self.closed = True


class FakeModels:
    """For `InlineHost(FakeModels())`: remembers what it loaded; raises for the names in `broken`."""

    def __init__(self, *, broken: tuple[str, ...] = (), gate: Callable[[], None] | None = None) -> None:
        self.broken, self._gate = broken, gate
        self.loaded: list[FakeModel] = []

    def __call__(self, spec: ModelSpec) -> FakeModel:
        if spec.name in self.broken:
            raise LoadError(f"{spec.name} is broken on purpose")
        self.loaded.append(FakeModel(spec, self._gate))
        return self.loaded[-1]


class FakeHost:
    """A host whose models are fakes and can be lost, as those in worker processes can.

    load: makes the models. loading, where given, is awaited at each load, which `cancel` ends.
    """

    def __init__(self, load: Callable[[ModelSpec], FakeModel] | None = None, *, loading: bool = False) -> None:
        self._load = load or FakeModels()
        self.go = threading.Event()
        if not loading:
            self.go.set()
        self.models: dict[str, FakeModel] = {}
        self.closed = 0
        self._cancelled = False
        self._tell: Callable[[str, str], None] = lambda _name, _reason: None

    def load(self, spec: ModelSpec) -> FakeModel:
        self._cancelled = False
        self.go.wait()
        if self._cancelled:
            raise LoadError(f"{spec.name}: its load was called off")
        self.models[spec.name] = self._load(spec)
        return self.models[spec.name]

    def unload(self, name: str, model: FakeModel) -> Freed:
        model.close()
        self.models.pop(name, None)
        return Freed(0, 0)

    def lose(self, name: str, reason: str = "killed by signal 9") -> None:
        """As if its worker had been killed."""
        self.models[name].lost = True
        self._tell(name, reason)

    def held(self, name: str) -> dict[str, int]:  # noqa: ARG002
        return {}

    def own(self) -> Own:
        return Own()

    def on_lost(self, tell: Callable[[str, str], None]) -> None:
        self._tell = tell

    def cancel(self) -> None:
        self._cancelled = True
        self.go.set()

    def close(self) -> None:
        self.closed += 1
