"""The header of a GGUF file: a config in transformers' words, and the shapes of its tensors.

Source: the GGUF specification, version 3 (ggml-org/ggml, docs/gguf.md).
"""

import struct
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, NamedTuple

_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
_ALIGNMENT = 32
# keys of GGUF, after the architecture's prefix, and of transformers' configs
_KEYS = {
    "block_count": "num_hidden_layers",
    "context_length": "max_position_embeddings",
    "embedding_length": "hidden_size",
    "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "attention.key_length": "head_dim",
    "attention.sliding_window": "sliding_window",
}
_RUNS_IN = "float32"  # transformers dequantises to it unless told otherwise


class GgufHeader(NamedTuple):
    """tensors: dtype once dequantised, shape, and bytes in the file, by name. tokenizer: bytes of its vocabulary."""

    config: dict[str, Any]
    tensors: dict[str, tuple[str, tuple[int, ...], int]]
    tokenizer: int
    chat: bool


class _Array(NamedTuple):
    """An array that was passed over: how many it holds, in how many bytes."""

    length: int
    size: int


def read_gguf(path: Path) -> GgufHeader:
    """Read the header. Raises ValueError for what is no GGUF file or is cut short."""
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        if data[:4] != b"GGUF":
            raise ValueError(f"{path.name} is not a GGUF file")
        try:
            return _parsed(_Reader(data), len(data), path.name)
        except (struct.error, KeyError, UnicodeDecodeError) as error:
            raise ValueError(f"{path.name} has a header that is cut short or damaged ({error})") from None


class _Reader:
    def __init__(self, data: mmap) -> None:
        self.data, self.at = data, 4

    def scalar(self, kind: str) -> Any:
        (found,) = struct.unpack_from(kind, self.data, self.at)
        self.at += struct.calcsize(kind)
        return found

    def text(self) -> str:
        size = self.scalar("<Q")
        self.at += size
        if self.at > len(self.data):
            raise struct.error("a text ends after the file")
        return self.data[self.at - size : self.at].decode("utf-8")

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.text()
        if kind != _ARRAY:
            return self.scalar(_SCALARS[kind])
        inner, count, start = self.scalar("<I"), self.scalar("<Q"), self.at
        if inner == _STRING:
            self._pass_texts(count)
        elif inner == _ARRAY:
            raise struct.error("nested arrays")
        else:
            self.at += count * struct.calcsize(_SCALARS[inner])
        return _Array(count, self.at - start)

    def _pass_texts(self, count: int) -> None:
        data, at, unpack = self.data, self.at, struct.Struct("<Q").unpack_from
        for _ in range(count):
            at += 8 + unpack(data, at)[0]
        self.at = at


def _parsed(reader: _Reader, length: int, name: str) -> GgufHeader:
    version, tensors, pairs = reader.scalar("<I"), reader.scalar("<Q"), reader.scalar("<Q")
    if version not in (2, 3):
        raise ValueError(f"{name} is GGUF of version {version}; versions 2 and 3 are read")
    meta = {}
    for _ in range(pairs):
        key = reader.text()
        meta[key] = reader.value(reader.scalar("<I"))
    placed = []
    for _ in range(tensors):
        tensor = reader.text()
        shape = tuple(reader.scalar("<Q") for _ in range(reader.scalar("<I")))
        reader.scalar("<I")
        placed.append((tensor, shape[::-1], reader.scalar("<Q")))
    alignment = int(meta.get("general.alignment", _ALIGNMENT))
    start = -(-reader.at // alignment) * alignment
    if placed and start + max(offset for _, _, offset in placed) >= length:
        raise ValueError(f"{name} is cut short: a tensor starts after its end")
    starts = sorted({offset for _, _, offset in placed} | {length - start})
    ends = dict(zip(starts, starts[1:], strict=False))
    found = {tensor: (_RUNS_IN, shape, ends[offset] - offset) for tensor, shape, offset in placed}
    vocabulary = meta.get("tokenizer.ggml.tokens", _Array(0, 0))
    told = sum(value.size for key, value in meta.items() if key.startswith("tokenizer.") and isinstance(value, _Array))
    return GgufHeader(_config(meta, found, vocabulary.length), found, told, "tokenizer.chat_template" in meta)


def _config(meta: dict[str, Any], tensors: dict[str, Any], vocabulary: int) -> dict[str, Any]:
    kind = str(meta.get("general.architecture", ""))
    found = {ours: meta.get(f"{kind}.{theirs}") for theirs, ours in _KEYS.items()}
    return {
        "model_type": kind,
        "architectures": [kind],
        "dtype": _RUNS_IN,
        "vocab_size": vocabulary,
        "tie_word_embeddings": "output.weight" not in tensors,
        **{key: value for key, value in found.items() if value is not None and not isinstance(value, _Array)},
    }
