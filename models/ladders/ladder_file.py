"""A ladder's TOML file, read into specs."""

from pathlib import Path

import msgspec

from ...pipeline.toml_file import read_toml
from ..needs.checkpoint import HUB_ID
from ..needs.paths import expanded, there
from .spec import LadderError, ModelSpec


class _File(msgspec.Struct, forbid_unknown_fields=True):
    rung: list[dict[str, object]]


def specs_from(file: Path) -> list[ModelSpec]:
    """The `[[rung]]` tables of a file, their relative sources starting at its folder. Raises LadderError."""
    tables = _tables(file)
    specs = []
    for i, table in enumerate(tables):
        if "path" in table and "source" not in table:
            raise LadderError(f"{file}: rung[{i}].path: {table['path']!r}: the key is `source` now; rename it")
        try:
            spec = msgspec.convert(table, ModelSpec)
        except msgspec.ValidationError as error:
            raise LadderError(f"{file}: {_wrong(i, table, str(error))}") from None
        specs.append(msgspec.structs.replace(spec, source=_source(spec, file.parent)))
    return specs


def _tables(file: Path) -> list[dict[str, object]]:
    remedy = "give the path of a ladder file"
    content = read_toml(file, LadderError, where=str(file), remedy=remedy, holds=f"correct it, or {remedy}")
    if not content:
        raise LadderError(f"{file}: rung: the file is empty; add at least one [[rung]] with name and source")
    try:
        return msgspec.convert(content, _File).rung
    except msgspec.ValidationError as error:
        told = f"{error}, got rung = {content['rung']!r}" if "rung" in content else str(error)
        raise LadderError(f"{file}: {told}; a ladder holds [[rung]] tables only") from None


def _wrong(i: int, table: dict[str, object], error: str) -> str:
    """The key of a rung, what it holds, and what it takes."""
    what, _, key = error.partition(" - at `$.")
    keys = ", ".join(ModelSpec.__struct_fields__)
    if (key := key.rstrip("`")) in table:
        kind = what.partition(",")[0]
        return f"rung[{i}].{key}: {kind}, got {table[key]!r}; correct it, or leave out what has a default"
    return f"rung[{i}]: {error}; the keys of a rung are {keys}"


def _source(spec: ModelSpec, folder: Path) -> str:
    """A path where there is one; else the id of a model, if it looks like one; else the path that is missing.

    What a load of the app's own takes may be anything, and stays where it is no path.
    """
    source = spec.source
    if not source:
        return source  # which is told of with the rung
    path = folder / expanded(source)
    if spec.need and not there(path):
        return source
    if not there(path) and "/" in source and HUB_ID.fullmatch(source) and not source.endswith(".gguf"):
        return source
    return str(path)
