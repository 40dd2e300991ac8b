"""Models in the app's own process."""

from collections.abc import Callable

from ...pipeline.probes.ram import Own
from ..ladder import ModelSpec
from ..memory import Ledger, resident
from . import Freed, Model


def _load_transformers(spec: ModelSpec) -> Model:
    from ..loading import load_transformers

    return load_transformers(spec)


def prepare_transformers() -> None:
    """Import all that a load needs beforehand, so that a rung's measured bytes are the rung's own."""
    from ..loading import prepare

    prepare()


class InlineHost:
    """Loads into this process and measures what each rung takes. `load` may be replaced, to test without models."""

    def __init__(self, load: Callable[[ModelSpec], Model] = _load_transformers) -> None:
        self._load = load
        self._prepare = prepare_transformers if load is _load_transformers else None
        self._ledger = Ledger()
        self._held: dict[str, int] = {}

    def load(self, spec: ModelSpec) -> Model:
        if self._prepare is not None:
            self._prepare()
        self._ledger.begin()
        loaded = False
        try:
            model = self._load(spec)
            loaded = True
            return model
        finally:
            self._held[spec.name] = self._ledger.end(spec.name if loaded else None).used

    def unload(self, name: str, model: Model) -> Freed:
        before, held = resident().rss, self._ledger.own().used
        model.close()
        self._ledger.drop(name)
        return Freed(held - self._ledger.own().used, before - resident().rss)

    def own(self) -> Own:
        return self._ledger.own()

    def held(self, name: str) -> dict[str, int]:
        return {"ram": self._held.get(name, 0)}

    def on_lost(self, tell: Callable[[str, str], None]) -> None:
        """Nothing is lost here but the app itself."""

    def cancel(self) -> None:
        """A load in this process can't be ended: it would leave its memory behind."""

    def close(self) -> None:
        """What is unloaded leaves nothing."""
