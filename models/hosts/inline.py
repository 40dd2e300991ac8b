"""Models in the app's own process."""

import threading
import time
from collections.abc import Callable

from ...pipeline.probes.ram import Own
from ..engine.memory import Ledger, Reading, pressed, reading, trim
from ..failures import LoadError, out_of_memory, told
from ..ladders.ladder import ModelSpec
from . import Freed, Model

__all__ = ["InlineHost"]

# How far memory must be back, and how long that is waited for: drivers give it back late.
BACK = 0.75
PATIENCE = 5.0  # seconds
_POLL = 0.05  # seconds


def _load_transformers(spec: ModelSpec) -> Model:
    from ..engine.loading import load_transformers

    return load_transformers(spec)


def prepare_transformers() -> None:
    """Import and set up beforehand what all loads need, so that a rung's measured bytes are the rung's own."""
    from ..engine.loading import prepare, warm_up

    prepare()
    warm_up()


class InlineHost:
    """Loads into this process and measures what each rung takes.

    load: makes a `Model` of a rung; with transformers by default. One for another library imports neither it nor torch.
    """

    def __init__(self, load: Callable[[ModelSpec], Model] = _load_transformers) -> None:
        self._load = load
        self._prepare = prepare_transformers if load is _load_transformers else None
        self._ledger = Ledger()
        self._models: dict[str, Model] = {}
        self._one_at_a_time = threading.Lock()

    def load(self, spec: ModelSpec) -> Model:
        """Load `spec`, as in `Host`. Whatever the loader raises becomes a LoadError, by its text."""
        with self._one_at_a_time:
            if self._prepare is not None:
                self._prepare()
            self._ledger.begin()
            try:
                model = self._load(spec)
            except LoadError as error:
                failure = LoadError(str(error), out_of_memory=error.out_of_memory)
            except Exception as error:  # noqa: BLE001 - another library's loader may raise anything
                memory = out_of_memory(error, pressed=pressed())
                failure = LoadError(f"{spec.name}: {told(error)}", out_of_memory=memory)
            else:
                self._ledger.end(spec.name)
                self._models[spec.name] = model
                return model
            self._ledger.end(None)
            trim()
        raise failure

    def unload(self, name: str, model: Model) -> Freed:
        """Close `model`, braking a reply that is being written, and wait until 75 % of `name` is back, 5 s at most."""
        with self._one_at_a_time:
            self._models.pop(name, None)
            before, expected = reading(), sum(self._there(name).values())
            model.close()
            self._ledger.drop(name)
            return Freed(expected, self._come_back(before, expected))

    def own(self) -> Own:
        """RAM that all rungs hold now; never more than the process has."""
        return self._ledger.own()

    def held(self, name: str) -> dict[str, int]:
        """Bytes by pool that `name` was measured to take; empty where it isn't loaded."""
        return self._ledger.held(name)

    def on_lost(self, tell: Callable[[str, str], None]) -> None:
        """Nothing: a rung is lost here only with the app itself, so `tell` is never called."""

    def cancel(self) -> None:
        """A load in this process can't be ended: it would leave its memory behind."""

    def close(self) -> None:
        """Unload what is left. Idempotent."""
        for name, model in list(self._models.items()):
            self.unload(name, model)

    def _there(self, name: str) -> dict[str, int]:
        """What of a rung's bytes can be in memory now: the kernel may have taken mapped pages back."""
        held = self._ledger.held(name)
        return held | {"ram": min(held.get("ram", 0), self._ledger.own().used)}

    @staticmethod
    def _come_back(before: Reading, expected: int) -> int:
        """Bytes by which the process has shrunk, once they are most of `expected` or patience is at its end."""
        patience = time.monotonic() + PATIENCE
        pause = threading.Event()
        while True:
            got = sum(before.growth(reading()).values())
            if got >= BACK * expected or time.monotonic() > patience:
                return got
            trim()  # a cycle of the library's may hold what the model no longer does
            pause.wait(_POLL)
