"""Models in the app's own process."""

from collections.abc import Callable

from ...pipeline.probes.ram import Own
from ..ladder import ModelSpec
from ..memory import Ledger, resident
from . import Model


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
            self._ledger.end(spec.name if loaded else None)

    def unload(self, name: str, model: Model) -> tuple[int, int]:
        before, held = resident().rss, self._ledger.own().used
        model.close()
        self._ledger.drop(name)
        return held - self._ledger.own().used, before - resident().rss

    def own(self) -> Own:
        return self._ledger.own()
