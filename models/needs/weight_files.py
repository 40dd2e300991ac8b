"""Which files of a checkpoint's folder hold its weights. All of it is data: what could run code is refused."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from ...pipeline.reading import RefusedError, read_whole

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
OWN_CODE = "or have the app's own code load it, by InlineHost(load)"
_REMEDY = f"give one whose weights are safetensors or GGUF, {OWN_CODE}"
_WHY = f"a pickle, which can run any code; {_REMEDY}"
_INDEX = ".safetensors.index.json"
_KERNELS = ("attn_implementation", "experts_implementation")
_CONFIG = 32 << 20  # bytes of a JSON file; the index of a trillion weights has 14 MB


class CheckpointError(RefusedError):
    """A checkpoint that can't be used: what is wrong with it, and the remedy."""


def weight_files(path: Path, config: Mapping[str, Any]) -> list[Path]:
    """By the file that its config names, else the usual ones, as transformers looks for them.

    Raises CheckpointError for what is no data, FileNotFoundError when there is none or a shard is missing, ValueError.
    """
    named = config.get("transformers_weights")
    if named is not None and (not isinstance(named, str) or "/" in named or not _safe(named)):
        raise _refused(path, f"transformers_weights of config.json names {named!r}")
    whole, index = "model.safetensors", f"model{_INDEX}"
    first = named or (index if os.path.lexists(path / index) else whole)
    wanted = sorted(set(_mapping(path / first, "weight_map").values())) if first.endswith(_INDEX) else [first]
    for name in wanted:
        if not name.endswith(".safetensors"):
            raise _refused(path, f"{first} names {name}")
        if not (path / name).is_file():
            raise FileNotFoundError(2, "no such file", str(path / name))
    return [path / name for name in wanted]


def check_data(path: Path, config: Mapping[str, Any]) -> None:
    """Raises CheckpointError where transformers would read something else than this folder's weights, or run code."""
    if (path / "adapter_config.json").exists():
        raise CheckpointError(f"{path} holds an adapter to another model; merge both, and give the folder of the whole")
    for key, value in _settings(config):
        if key.removeprefix("_") in _KERNELS and isinstance(value, str) and "/" in value:
            raise CheckpointError(
                f"{path}: {key} of config.json names {value!r}, code from a hub; remove it, {OWN_CODE}"
            )


def check_folder(path: Path) -> None:
    """What holds for a ladder, seen again before a load: files may have changed. Raises CheckpointError, OSError."""
    config = read_object(path / "config.json")
    check_data(path, config)
    try:
        weight_files(path, config)
    except FileNotFoundError:
        if (others := other_weights(path)) is not None:
            raise CheckpointError(others) from None
        raise


def other_weights(path: Path) -> str | None:
    """What a folder without safetensors holds in their place, and what to do."""
    if not path.is_dir() or any(path.glob("*.safetensors*")):
        return None
    ggufs = sorted([*path.glob("*.gguf"), *path.glob("*/*.gguf")])
    if ggufs:
        return f"{path} holds GGUF files and no safetensors; give the path of one of them, such as {ggufs[0]}"
    if pickled := sorted(file.name for file in path.iterdir() if file.suffix in PICKLES):
        return f"{path} holds its weights as {pickled[0]}, {_WHY}"
    return None


def pickled(file: Path) -> str:
    return f"{file} is {_WHY}"


def read_object(file: Path) -> dict[str, Any]:
    """Raises ValueError for what is no JSON object."""
    try:
        found = json.loads(read_whole(file, _CONFIG).decode())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file.name} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{file.name} holds no JSON object")
    return found


def _safe(name: str) -> bool:
    return name.endswith((".safetensors", _INDEX))


def _refused(path: Path, what: str) -> CheckpointError:
    return CheckpointError(f"{path}: {what}, which is no safetensors, and may run code; {_REMEDY}")


def _mapping(file: Path, key: str) -> dict[str, str]:
    try:
        return msgspec.convert(read_object(file).get(key), dict[str, str])
    except msgspec.ValidationError as error:
        raise ValueError(f"{key} of {file.name} is no table of names: {error}") from None


def _settings(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Keys and values, of what is nested too; a table of kernels by part comes under its own key."""
    for key, value in config.items():
        if isinstance(value, dict):
            yield from ((key, each) for each in value.values() if not isinstance(each, dict))
            yield from _settings(value)
        else:
            yield key, value
