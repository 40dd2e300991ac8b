"""What lies on disk: a checkpoint's config, its tensors by their headers, its tokenizer. No weight is read."""

import math
import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec

from ...pipeline.reading import WRITTEN, opened, read_whole
from ..ladders.spec import ModelSpec
from .config_checks import check_fields, check_objects
from .gguf_header import read_gguf
from .paths import expanded, hub_cache
from .weight_files import PICKLES, CheckpointError, check_data, other_weights, pickled, read_object, weight_files

_REVISION = re.compile(r"\w[\w.-]{0,199}", re.ASCII)
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")
_DTYPES = {
    "F64": ("float64", 8), "F32": ("float32", 4), "F16": ("float16", 2), "BF16": ("bfloat16", 2),
    "F8_E4M3": ("float8_e4m3fn", 1), "F8_E5M2": ("float8_e5m2", 1), "I64": ("int64", 8), "I32": ("int32", 4),
    "I16": ("int16", 2), "I8": ("int8", 1), "U8": ("uint8", 1), "BOOL": ("bool", 1),
}  # fmt: skip
DTYPE_BYTES = dict(_DTYPES.values())
_TEMPLATES = ("chat_template.jinja", "chat_template.json", "additional_chat_templates")
_HEADER_LIMIT = 16 << 20  # bytes of a safetensors header; the format allows more, and no model comes near to this
_TENSORS = 100_000  # in a file; the largest models have some thousand


class Tensor(NamedTuple):
    """dtype: as torch names it. shape: as stored. stored: bytes in the file, whose name is `file`."""

    dtype: str
    shape: tuple[int, ...]
    stored: int
    file: str

    @property
    def elements(self) -> int:
        """How many numbers."""
        return math.prod(self.shape)


_Whole = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class _Entry(msgspec.Struct):
    """Of a tensor in the header of a safetensors file."""

    dtype: str
    shape: Annotated[tuple[_Whole, ...], msgspec.Meta(max_length=64)]
    data_offsets: tuple[_Whole, _Whole]


class Checkpoint(msgspec.Struct, frozen=True):
    """path: the folder, or the GGUF file. config: of the text model. weights: its files, with bytes and mtimes in
    nanoseconds. tokenizer: bytes of tokenizer.json. chat: whether it brings a chat template. gguf: whether it is one.
    """

    path: Path
    config: dict[str, Any]
    tensors: dict[str, Tensor]
    weights: tuple[tuple[str, int, int], ...]
    tokenizer: int
    chat: bool
    gguf: bool = False

    @property
    def quantised(self) -> str | None:
        """The method that it was quantised with before it was saved; None for plain weights."""
        found = self.config.get("quantization_config")
        return str(found.get("quant_method", "unknown")) if found else None

    @property
    def longest(self) -> int | None:
        """Tokens that the model was made for, where its config tells."""
        for key in ("max_position_embeddings", "n_positions", "max_seq_len"):
            if isinstance(found := self.config.get(key), int) and 0 < found < 2**63:
                return found
        return None


def snapshot(repository: Path) -> Path | None:
    """The revision `main` of a repository in the cache, else the latest that is there."""
    try:
        named = read_whole(repository / "refs" / "main", WRITTEN).decode().strip()
    except (OSError, UnicodeDecodeError):
        named = ""
    folder = repository / "snapshots"
    if _REVISION.fullmatch(named) and (folder / named).is_dir():
        return folder / named
    there = [entry for entry in folder.iterdir() if entry.is_dir()] if folder.is_dir() else []
    return max(there, key=lambda entry: entry.stat().st_mtime, default=None)


def located(source: str, cache: Path | None = None) -> Path:
    """The folder or GGUF file of a rung's source. Raises CheckpointError."""
    path = expanded(source)
    if path.is_dir() or (path.suffix == ".gguf" and path.is_file()):
        return path
    if path.suffix == ".gguf":
        raise CheckpointError(f"{path} is not there; give the path of a GGUF file")
    if path.exists():
        if path.suffix in PICKLES:
            raise CheckpointError(pickled(path))
        raise CheckpointError(
            f"{path} is not a folder; give a folder with config.json and safetensors, or a .gguf file"
        )
    if path.is_absolute() or not HUB_ID.fullmatch(source):
        raise CheckpointError(f"{path} is not a folder; give a folder with config.json and safetensors")
    cache = cache or hub_cache()
    found = snapshot(cache / f"models--{source.replace('/', '--')}")
    if found is None:
        raise CheckpointError(
            f"{source} is not a folder, and no model of that id is in {cache}; run: hf download {source}"
        )
    return found


def read_checkpoint(source: str | Path) -> Checkpoint:
    """What a source holds, kept until its files change. Raises CheckpointError."""
    try:
        path = located(str(source))
    except OSError as error:
        raise CheckpointError(
            f"{source} can't be read as a checkpoint: {error.strerror}; give a folder or a GGUF file that can be"
        ) from None
    try:
        if path.is_dir():
            return _read_folder(path, tuple(sorted(_stamp(Path(entry.path)) for entry in os.scandir(path))))
        return _read_gguf(path, _stamp(path))
    except FileNotFoundError as error:
        if (others := other_weights(path)) is not None:
            raise CheckpointError(others) from None
        missing = Path(str(error.filename)).name
        raise CheckpointError(
            f"{path} is not a checkpoint: {missing} is missing; download it again, or give another folder"
        ) from None
    except CheckpointError:
        raise
    except OSError as error:
        raise CheckpointError(f"{path} can't be read as a checkpoint: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise CheckpointError(
            f"{path} can't be read as a checkpoint: {error}; download it again, or give another"
        ) from None


def checkpoint_of(spec: ModelSpec) -> Checkpoint:
    """What its source holds; nothing that is known where it tells its own need. Raises CheckpointError."""
    return Checkpoint(Path(spec.source), {}, {}, (), 0, chat=True) if spec.need else read_checkpoint(spec.source)


def _stamp(file: Path) -> tuple[str, int, int]:
    try:
        found = file.stat()
    except FileNotFoundError:  # a link of the cache whose file was deleted
        return file.name, -1, -1
    return file.name, found.st_size, found.st_mtime_ns


@lru_cache(maxsize=256)
def _read_folder(path: Path, stamps: tuple[tuple[str, int, int], ...]) -> Checkpoint:
    config = read_object(path / "config.json")
    check_objects(config)
    check_data(path, config)
    text = text_config(config)
    check_fields(text)
    names = {name for name, _, _ in stamps}
    files = weight_files(path, config)
    tensors: dict[str, Tensor] = {}
    for file in files:
        tensors.update(_safetensors(file))
    chat = not names.isdisjoint(_TEMPLATES)
    if not chat and "tokenizer_config.json" in names:
        chat = bool(read_object(path / "tokenizer_config.json").get("chat_template"))
    sizes = {name: size for name, size, _ in stamps}
    weights = tuple(_stamp(file) for file in files)
    return Checkpoint(path, text, tensors, weights, sizes.get("tokenizer.json", 0), chat)


@lru_cache(maxsize=64)
def _read_gguf(path: Path, stamp: tuple[str, int, int]) -> Checkpoint:
    found = read_gguf(path)
    check_fields(found.config)
    tensors = {name: Tensor(kind, shape, stored, path.name) for name, (kind, shape, stored) in found.tensors.items()}
    return Checkpoint(path, found.config, tensors, (stamp,), found.tokenizer, found.chat, gguf=True)


def text_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config of the part that writes text; what stands above it holds for it too."""
    inner = config.get("text_config") or config.get("llm_config") or {}
    return {**{key: value for key, value in config.items() if key != "text_config"}, **inner}


def _safetensors(file: Path) -> dict[str, Tensor]:
    with opened(file) as stream:
        size = int.from_bytes(stream.read(8), "little")
        length = os.fstat(stream.fileno()).st_size
        if not 2 <= size <= min(_HEADER_LIMIT, length - 8):
            raise ValueError(f"{file.name} has no safetensors header")
        try:
            header = msgspec.json.decode(stream.read(size), type=dict[str, msgspec.Raw])
            header.pop("__metadata__", None)
            if len(header) > _TENSORS:
                raise ValueError(f"{file.name} tells of {len(header)} tensors, and no model has so many")
            entries = {name: msgspec.json.decode(entry, type=_Entry) for name, entry in header.items()}
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ValueError(f"the header of {file.name} is damaged: {error}") from None
    if not entries:
        raise ValueError(f"{file.name} holds no weights")
    found, end = {}, 0
    for name, entry in entries.items():
        start, stop = entry.data_offsets
        if stop < start:
            raise ValueError(f"the header of {file.name} is damaged: {name} ends at {stop}, before its start {start}")
        kind, width = _DTYPES.get(entry.dtype, (entry.dtype.lower(), None))
        found[name] = tensor = Tensor(kind, entry.shape, stop - start, file.name)
        if width is not None and tensor.elements * width != tensor.stored:
            raise ValueError(
                f"the header of {file.name} is damaged: {name} is {entry.dtype} of the shape {list(entry.shape)} in "
                f"{tensor.stored} bytes"
            )
        end = max(end, stop)
    if 8 + size + end > length:
        raise ValueError(f"{file.name} is cut short: its header tells {8 + size + end} bytes, and it has {length}")
    return found
