"""Models that load in no time and answer without weights, for tests of apps with a `ModelManager`.

The guide to testing with gearshift, these included, is `gearshift.pipeline.testing`, which has what the samples, the
decisions and a backend of your own are tested with.

```pycon
>>> from tempfile import TemporaryDirectory
>>> from gearshift.models import ModelManager, Options
>>> from gearshift.models.hosts.inline import InlineHost
>>> from gearshift.pipeline import Settings, event_time
>>> from gearshift.pipeline.testing import GIB, sample
>>> from reactivex.subject import BehaviorSubject
>>> source = BehaviorSubject(sample(event_time(), ram=(GIB, 4 * GIB)))
>>> models = FakeModels(broken=("large",))
>>> with TemporaryDirectory() as folder:
...     ladder = fake_ladder(folder, large=GIB // 5, small=GIB // 99)
...     with ModelManager(ladder, Settings(), source=source, host=InlineHost(models), cache=folder) as manager:
...         reply = manager.respond("What is gravity?", options=Options(max_new_tokens=3))
>>> reply, reply.rungs, [model.spec.name for model in models.loaded]
('word0 word1 word2 ', ('small',), ['small'])

```
"""

import json
import threading
from collections.abc import Callable
from pathlib import Path

from ..pipeline.probes.ram import Own
from ..pipeline.testing.building import whole_bytes
from .failures import LoadError, WorkerLost
from .hosts import Freed
from .ladders.ladder import Ladder, ModelSpec
from .replies.conversation import Message
from .replies.generation import Brake, Options, Written


class FakeModel:
    """Answers `word0 word1 …` up to max_new_tokens, naming no real model; one word is one token.

    A brake that winds it up ends it after the next word in 4 or 9, which stand for the ends of sentences.

    Args:
        spec: the rung that it stands for.
        gate: called before each word; it may wait, to hold a reply where a test wants it, or raise, to fail there.

    `asked` keeps what it was asked, messages and partial; `closed` tells that it was unloaded, `lost` that its worker
    is gone.
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
        """As in `Model`. Raises WorkerLost once it is lost."""
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
        """It was unloaded."""
        self.closed = True


class FakeModels:
    """Loads fakes, for `InlineHost(FakeModels())` and `FakeHost(FakeModels())`.

    Args:
        broken: names of rungs whose loads raise LoadError; may be changed at any time.
        gate: for each `FakeModel`.

    `loaded` keeps the models that it made, in their order.
    """

    def __init__(self, *, broken: tuple[str, ...] = (), gate: Callable[[], None] | None = None) -> None:
        self.broken, self._gate = broken, gate
        self.loaded: list[FakeModel] = []

    def __call__(self, spec: ModelSpec) -> FakeModel:
        """A model that stands for `spec`. Raises LoadError for a name in `broken`."""
        if spec.name in self.broken:
            raise LoadError(f"{spec.name} is broken on purpose")
        self.loaded.append(FakeModel(spec, self._gate))
        return self.loaded[-1]


class FakeHost:
    """A host whose models are fakes and can be lost, as those in worker processes can.

    Args:
        load: makes the models; a `FakeModels` by default.
        loading: each load waits until the event `go` is set, or `cancel` ends it.

    `models` holds what is loaded, by name; `closed` counts the calls of `close`.
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
        """As in `Host`."""
        self._cancelled = False
        self.go.wait()
        if self._cancelled:
            raise LoadError(f"{spec.name}: its load was called off")
        self.models[spec.name] = self._load(spec)
        return self.models[spec.name]

    def unload(self, name: str, model: FakeModel) -> Freed:
        """As in `Host`; nothing was taken, so nothing comes back."""
        model.close()
        self.models.pop(name, None)
        return Freed(0, 0)

    def lose(self, name: str, reason: str = "killed by signal 9") -> None:
        """As if the worker of `name` had been killed; `reason` is what `on_lost` tells."""
        self.models[name].lost = True
        self._tell(name, reason)

    def held(self, name: str) -> dict[str, int]:  # noqa: ARG002
        """Nothing was measured."""
        return {}

    def own(self) -> Own:
        """Nothing is held."""
        return Own()

    def on_lost(self, tell: Callable[[str, str], None]) -> None:
        """As in `Host`."""
        self._tell = tell

    def cancel(self) -> None:
        """End a load that waits for `go`."""
        self._cancelled = True
        self.go.set()

    def close(self) -> None:
        """Count that."""
        self.closed += 1


def fake_ladder(folder: str | Path, **sizes: float) -> Ladder:
    """A ladder of checkpoints that have a size and no weights, best first. Only fakes can load them.

    Args:
        folder: where they are written, one folder each, under the names of the rungs. They take no room on the disk.
        sizes: bytes of weights, by the name of the rung; its need is some 45 MiB more, for the process.

    A shift goes by the samples, but a load also by this machine's own memory: keep them small.
    Raises TypeError, ValueError for a size that is no whole number above 0, OSError.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     ladder = fake_ladder(folder, large=200 << 20, small=20 << 20)
    ...     [(rung.name, rung.need["ram"] >> 20) for rung in ladder.rungs()]
    [('large', 243), ('small', 63)]
    """
    specs = []
    for i, (name, size) in enumerate(sizes.items()):
        _write_checkpoint(Path(folder) / name, whole_bytes(f"size of {name}", size, least=1))
        specs.append(ModelSpec(name=name, source=str(Path(folder) / name), quality=float(len(sizes) - i)))
    return Ladder(specs, where="fake_ladder")


def _write_checkpoint(folder: Path, size: int) -> None:
    """One tensor of so many bytes, in a sparse file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"num_hidden_layers": 0, "dtype": "int8"}), "utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": "fake"}), "utf-8")
    header = json.dumps({"weight": {"dtype": "I8", "shape": [size], "data_offsets": [0, size]}}).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + size)
