"""The rungs an app may run, best first, from a TOML file or from code."""

import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from ..pipeline.rungs import Rung
from .need import need_bytes, token_bytes, weight_bytes

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gearshift"


class LadderError(ValueError):
    """A ladder that can't be used: names the file, the key and the reason."""


class ModelSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One rung.

    name: unique on the ladder. source: a folder with config.json and safetensors, a GGUF file, or the id of a model
    in the local Hugging Face cache. dtype: what it runs in, `auto` being what it is stored in. quantisation: what
    transformers does to it at the load: `torchao-int8`, `torchao-int4`, `bitsandbytes-8bit`, `bitsandbytes-4bit`.
    device: `cpu`, `cuda:0` …, or `auto`, spread over accelerators and RAM as accelerate does. context: tokens to keep
    room for. quality: on any scale, more is better; by default by size and precision. latency: seconds within which
    a reply should come.
    """

    name: str
    source: str
    dtype: str = "auto"
    quantisation: str | None = None
    device: str = "cpu"
    context: int = 2048
    quality: float | None = None
    latency: float | None = None

    @property
    def pool(self) -> str:
        return "ram" if self.device == "cpu" else self.device


class _File(msgspec.Struct, forbid_unknown_fields=True):
    rung: list[dict[str, object]]


class Ladder(Sequence[ModelSpec]):
    """Rungs, best first; checked when made: nothing is loaded to find out that it can't be.

    Raises LadderError.
    """

    def __init__(self, specs: Iterable[ModelSpec], *, where: str = "ladder") -> None:
        self.specs = tuple(specs)
        if not self.specs:
            raise LadderError(f"{where}: rung: holds no rung; add at least one [[rung]] with name and source")
        seen: set[str] = set()
        for i, spec in enumerate(self.specs):
            key = f"{where}: rung[{i}]"
            if not spec.name:
                raise LadderError(f"{key}.name: empty; every rung needs a name")
            if spec.name in seen:
                raise LadderError(f"{key}.name: {spec.name!r} is the name of an earlier rung too; names must differ")
            seen.add(spec.name)
            if spec.context <= 0:
                raise LadderError(f"{key}.context: must be tokens above 0, got {spec.context}")
            _check_checkpoint(key, Path(spec.source))

    @classmethod
    def from_toml(cls, path: str | Path) -> "Ladder":
        """Read `[[rung]]` tables. Relative checkpoint paths start at the file's folder."""
        file = Path(path)
        try:
            content = tomllib.loads(file.read_text("utf-8"))
        except OSError as error:
            raise LadderError(f"{file}: can't be read: {error.strerror}; give the path of a ladder file") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise LadderError(f"{file}: not TOML: {error}") from None
        if not content:
            raise LadderError(f"{file}: rung: the file is empty; add at least one [[rung]] with name and source")
        try:
            tables = msgspec.convert(content, _File).rung
        except msgspec.ValidationError as error:
            raise LadderError(f"{file}: {error}; a ladder holds [[rung]] tables only") from None
        specs = []
        for i, table in enumerate(tables):
            try:
                spec = msgspec.convert(table, ModelSpec)
            except msgspec.ValidationError as error:
                keys = ", ".join(ModelSpec.__struct_fields__)
                raise LadderError(f"{file}: rung[{i}]: {error}; the keys of a rung are {keys}") from None
            specs.append(msgspec.structs.replace(spec, source=str(file.parent / Path(spec.source).expanduser())))
        return cls(specs, where=str(file))

    def __getitem__(self, index):  # pyright: ignore[reportIncompatibleMethodOverride]
        return self.specs[index]

    def __len__(self) -> int:
        return len(self.specs)

    def __iter__(self) -> Iterator[ModelSpec]:
        return iter(self.specs)

    def named(self, name: str) -> ModelSpec:
        return next(spec for spec in self.specs if spec.name == name)

    def rungs(self) -> list[Rung]:
        """What the decisions need to know of each: name, bytes by pool, quality, and what the context takes."""
        count = len(self.specs)
        return [
            Rung(
                s.name,
                {s.pool: need_bytes(s.source, s.context)},
                s.quality if s.quality is not None else float(count - i),
                s.context,
                {s.pool: size} if (size := token_bytes(s.source)) else {},
            )
            for i, s in enumerate(self.specs)
        ]


def _check_checkpoint(key: str, path: Path) -> None:
    if not path.is_dir():
        raise LadderError(f"{key}.source: {path} is not a folder; give a folder with config.json and safetensors")
    try:
        json.loads((path / "config.json").read_text("utf-8"))
        weight_bytes(path)
    except FileNotFoundError as error:
        raise LadderError(
            f"{key}.source: {path} is not a checkpoint: {Path(str(error.filename)).name} is missing"
        ) from None
    except (ValueError, KeyError) as error:
        raise LadderError(f"{key}.source: {path} can't be read as a checkpoint: {error}") from None


def default_ladder() -> Ladder:
    """The ladder in the user's cache folder, where `gearshift demo` puts one."""
    file = CACHE / "ladder.toml"
    if not file.exists():
        raise LadderError(f"{file}: no ladder was given and none is there; pass a ladder, or run `gearshift demo` once")
    return Ladder.from_toml(file)
