"""The rungs an app may run, best first: from a TOML file, from code, or found on this machine."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...pipeline.rungs import Rung, checked_ladder
from ..needs.checkpoint import read_checkpoint
from ..needs.free_memory import room
from ..needs.need import Need, estimate
from ..needs.paths import hub_cache, user_cache
from .ladder_checks import check_rungs
from .ladder_file import specs_from
from .quality import default_quality
from .spec import LadderError, ModelSpec

if TYPE_CHECKING:
    from ..needs.remembered import Needs

__all__ = ["CACHE", "Ladder", "LadderError", "ModelSpec", "default_ladder"]

_TOLD = 3  # of the models that discovery left out
CACHE = user_cache() / "gearshift"


class Ladder(Sequence[ModelSpec]):
    """Rungs, best first; checked when made: nothing is loaded to find out that it can't be. A sequence of `ModelSpec`.

    specs: the rungs. where: what errors call it; the file, where it is from one. Raises LadderError.
    """

    def __init__(self, specs: Iterable[ModelSpec], *, where: str = "ladder") -> None:
        self.specs, self.where = tuple(specs), where
        check_rungs(self.specs, where)

    @classmethod
    def from_toml(cls, path: str | Path) -> "Ladder":
        """Read the `[[rung]]` tables of the file `path`. A relative source starts at its folder. Raises LadderError."""
        file = Path(path)
        return cls(specs_from(file), where=str(file))

    @classmethod
    def discover(cls, cache: str | Path | None = None) -> "Ladder":
        """The chat models in the local Hugging Face cache, best first; `cache` names another folder.

        Raises LadderError when there is none.
        """
        from .discover import looked_through

        folder = Path(cache) if cache is not None else hub_cache()
        specs, left_out = looked_through(folder)
        if not specs:
            more = f"; and {len(left_out) - _TOLD} more" if len(left_out) > _TOLD else ""
            raise LadderError(
                f"{folder}: holds no chat model that can be run (safetensors, whole, with a chat template); "
                "run: hf download with the name of one, or give a ladder file"
                + (f" (left out: {'; '.join(left_out[:_TOLD])}{more})" if left_out else "")
            )
        return cls(specs, where=str(folder))

    def __getitem__(self, index):  # pyright: ignore[reportIncompatibleMethodOverride]
        return self.specs[index]

    def __len__(self) -> int:
        return len(self.specs)

    def __iter__(self) -> Iterator[ModelSpec]:
        return iter(self.specs)

    def _repr_html_(self) -> str:
        from ...pipeline.views.html import fragment, table
        from ...pipeline.views.units import told

        heads = ("name", "source", "dtype", "quantisation", "device", "context")
        rows = [["" if (value := getattr(s, head)) is None else told(value, head) for head in heads] for s in self]
        return fragment(f"Ladder of {self.where}, best first", table(rows, heads))

    def named(self, name: str) -> ModelSpec:
        """The rung of that name. Raises KeyError."""
        for spec in self.specs:
            if spec.name == name:
                return spec
        raise KeyError(f"{self.where}: no rung is named {name!r}; there are {', '.join(s.name for s in self.specs)}")

    def rungs(self, needs: "Needs | None" = None) -> list[Rung]:
        """What the decisions need to know of each: name, bytes by pool, quality, and what the context takes.

        needs: what is known of them from loads; without, all is estimated from the files.

        Raises LadderError where they are not the best first.
        """
        of = needs.of if needs is not None else _estimated
        found = []
        for spec in self.specs:
            need = of(spec)
            found.append(Rung(spec.name, need.need, quality(spec), spec.context, need.per_token, spec.latency))
        try:
            return list(checked_ladder(found))
        except ValueError as error:
            raise LadderError(f"{self.where}: {error}") from None


def quality(spec: ModelSpec) -> float:
    """What the spec says, else by size and precision."""
    return spec.quality if spec.quality is not None else default_quality(read_checkpoint(spec.source), spec)


def default_ladder() -> Ladder:
    """The ladder in the user's cache folder, where `gearshift demo` puts one; else what is found on this machine.

    Raises LadderError when neither gives a rung.
    """
    file = CACHE / "ladder.toml"
    if file.exists():
        return Ladder.from_toml(file)
    try:
        return Ladder.discover()
    except LadderError as error:
        raise LadderError(
            f"{file}: no ladder was given and none is there, and {error}; or run `gearshift demo --models-only` once"
        ) from None


def _estimated(spec: ModelSpec) -> Need:
    return estimate(spec, room=room() if spec.device == "auto" else None).total()
