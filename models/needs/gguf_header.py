"""The header of a GGUF file: a config in transformers' words, and the shapes of its tensors.

Source: the GGUF specification, version 3 (ggml-org/ggml, docs/gguf.md).
"""

import math
import os
import struct
from pathlib import Path
from typing import Any, NamedTuple

from ...pipeline.reading import opened

_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
_ALIGNMENT = 32
_FIRST, _MOST = (
    4 << 20,
    64 << 20,
)  # bytes of a header, read at first and at most; a large vocabulary takes 20 MB
_PAIRS, _TENSORS, _DIMENSIONS = 10_000, 100_000, 8  # real files have some dozen, some thousand, and up to 4
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
_WEIGHTS = 8  # in a byte, at most; the smallest of its types take 1.56 bits
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
    """Read the header. Raises ValueError for what is no GGUF file, is cut short, or claims what no model has; OSError.

    It is read and not mapped: a mapped file that somebody cuts off while it is read would end the process.
    """
    with opened(path) as file:
        length, size = os.fstat(file.fileno()).st_size, _FIRST
        while True:
            file.seek(0)
            data = file.read(size)
            if data[:4] != b"GGUF":
                raise ValueError(f"{path.name} is not a GGUF file")
            try:
                return _parsed(_Reader(data), length, path.name)
            except struct.error as error:
                if len(data) < size or size >= _MOST:
                    raise ValueError(f"{path.name} has a header that is cut short or damaged ({error})") from None
            except (KeyError, UnicodeDecodeError) as error:
                raise ValueError(f"{path.name} has a header that is cut short or damaged ({error})") from None
            size *= 4


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 4

    def scalar(self, kind: str) -> Any:
        (found,) = struct.unpack_from(kind, self.data, self.at)
        self.at += struct.calcsize(kind)
        return found

    def count(self, kind: str, most: int, what: str) -> int:
        """A number of things that follow. Raises ValueError for more of them than there can be."""
        found = self.scalar(kind)
        if found > most:
            raise ValueError(f"its header tells of {found} {what}, and {most} are the most that is read")
        return found

    def text(self) -> str:
        size = self.scalar("<Q")
        self._pass(size)
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
            raise ValueError("its header holds an array of arrays")
        else:
            self._pass(count * struct.calcsize(_SCALARS[inner]))
        return _Array(count, self.at - start)

    def _pass(self, size: int) -> None:
        self.at += size
        if self.at > len(self.data):
            raise struct.error("it ends before its last value")

    def _pass_texts(self, count: int) -> None:
        data, at, unpack = self.data, self.at, struct.Struct("<Q").unpack_from
        for _ in range(count):
            at += 8 + unpack(data, at)[0]
        self.at = at
        self._pass(0)


def _parsed(reader: _Reader, length: int, name: str) -> GgufHeader:
    version = reader.scalar("<I")
    if version not in (2, 3):
        raise ValueError(f"{name} is GGUF of version {version}; versions 2 and 3 are read")
    tensors, pairs = reader.count("<Q", _TENSORS, "tensors"), reader.count("<Q", _PAIRS, "keys")
    meta = {}
    for _ in range(pairs):
        key = reader.text()
        meta[key] = reader.value(reader.scalar("<I"))
    placed = []
    for _ in range(tensors):
        tensor = reader.text()
        shape = tuple(reader.scalar("<Q") for _ in range(reader.count("<I", _DIMENSIONS, "dimensions of a tensor")))
        reader.scalar("<I")
        placed.append((tensor, shape[::-1], reader.scalar("<Q")))
    alignment = meta.get("general.alignment", _ALIGNMENT)
    if not isinstance(alignment, int) or alignment <= 0:
        raise ValueError(f"general.alignment of {name} must be a whole number above 0, got {alignment!r}")
    start = -(-reader.at // alignment) * alignment
    if placed and start + max(offset for _, _, offset in placed) >= length:
        raise ValueError(f"{name} is cut short: a tensor starts after its end")
    starts = sorted({offset for _, _, offset in placed} | {length - start})
    ends = dict(zip(starts, starts[1:], strict=False))
    found = {tensor: (_RUNS_IN, shape, ends[offset] - offset) for tensor, shape, offset in placed}
    for tensor, (_, shape, stored) in found.items():
        if math.prod(shape) > _WEIGHTS * stored:
            raise ValueError(f"{name} is damaged: {tensor} of the shape {list(shape)} in {stored} bytes")
    vocabulary = meta.get("tokenizer.ggml.tokens")
    words = vocabulary.length if isinstance(vocabulary, _Array) else 0
    told = sum(value.size for key, value in meta.items() if key.startswith("tokenizer.") and isinstance(value, _Array))
    return GgufHeader(_config(meta, found, words), found, told, "tokenizer.chat_template" in meta)


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
