"""Fakes to test with, for this project and for its users."""

from collections.abc import Iterable, Sequence
from itertools import count

from .rungs import Rung
from .samples import Pool, Reading, Sample
from .testing_nvml import ScriptedGpu, ScriptedNvml

__all__ = ["ScriptedGpu", "ScriptedNvml", "ScriptedProbe", "rungs_of", "samples_of"]


class ScriptedProbe:
    """A probe that plays a script: each read returns the next Reading, or raises it if it is an exception.

    The last entry is repeated for ever.
    """

    def __init__(
        self, script: Sequence[Reading | Exception], *, name: str = "ram", pools: tuple[str, ...] = ("ram",)
    ) -> None:
        if not script:
            raise ValueError("script must hold at least one reading, got an empty one")
        self.name, self.pools = name, pools
        self._script, self._at = script, 0

    def read(self) -> Reading:
        entry = self._script[min(self._at, len(self._script) - 1)]
        self._at += 1
        if isinstance(entry, Exception):
            raise entry
        return entry


def samples_of(
    external: Iterable[int | None], *, total: int = 1000, own: int = 0, interval: float = 1.0
) -> list[Sample]:
    """Samples of one pool `ram` from a series of external use (bytes); None is a failed reading."""
    return [
        Sample(
            time=i * interval,
            pools={"ram": None if used is None else Pool(total, used + own, own)},
            missing=("ram",) if used is None else (),
        )
        for i, used in zip(count(), external, strict=False)
    ]


def rungs_of(*needs: int) -> list[Rung]:
    """A ladder from needs in bytes, best first, named `large`, `medium`, `small` or by number."""
    names = {1: ["large"], 2: ["large", "small"], 3: ["large", "medium", "small"]}.get(len(needs))
    return [
        Rung(names[i] if names else f"rung{i}", {"ram": need}, quality=float(len(needs) - i))
        for i, need in enumerate(needs)
    ]
