"""Memory that a checkpoint will take, from its files, without loading it."""

import json
from pathlib import Path
from typing import Any

WORKING_SPACE = 32 * 2**20  # tokenizer, module objects, activations of one short step

_DTYPE_BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2}


def safetensors_files(path: str | Path) -> list[Path]:
    """The weight files of a checkpoint. Raises FileNotFoundError when there is none, or a shard is missing."""
    folder = Path(path)
    index = folder / "model.safetensors.index.json"
    if index.exists():
        names = sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
    else:
        names = ["model.safetensors"]
    files = [folder / name for name in names]
    for file in files:
        if not file.is_file():
            raise FileNotFoundError(2, "no such file", str(file))
    return files


def weight_bytes(path: str | Path) -> int:
    """Bytes of all tensors, summed from the safetensors headers. Raises ValueError for a broken header."""
    total = 0
    for file in safetensors_files(path):
        with file.open("rb") as stream:
            size = int.from_bytes(stream.read(8), "little")
            if not 2 <= size <= min(100_000_000, file.stat().st_size - 8):
                raise ValueError(f"{file.name} has no safetensors header")
            header: dict[str, Any] = json.loads(stream.read(size))
        spans = [entry["data_offsets"] for name, entry in header.items() if name != "__metadata__"]
        ends = max((end for _, end in spans), default=0)
        if 8 + size + ends > file.stat().st_size:
            raise ValueError(f"{file.name} is cut short")
        total += sum(end - start for start, end in spans)
    return total


def kv_bytes_per_token(config: dict[str, Any]) -> int:
    """Key and value cache of one token: 2 × layers × key-value heads × head size × bytes of the dtype."""
    config = config.get("text_config", config)
    heads = config.get("num_attention_heads") or config.get("n_head") or 0
    layers = config.get("num_hidden_layers") or config.get("n_layer") or 0
    hidden = config.get("hidden_size") or config.get("n_embd") or 0
    if not (heads and layers and hidden):
        return 0
    size = config.get("head_dim") or hidden // heads
    kept = config.get("num_key_value_heads") or heads
    return 2 * layers * kept * size * _DTYPE_BYTES.get(config.get("dtype") or config.get("torch_dtype") or "", 4)


def token_bytes(path: str | Path) -> int:
    """As `kv_bytes_per_token`, from a checkpoint's folder."""
    return kv_bytes_per_token(json.loads((Path(path) / "config.json").read_text("utf-8")))


def need_bytes(path: str | Path, context: int) -> int:
    """Weights, the cache of `context` tokens, and working space."""
    return weight_bytes(path) + context * token_bytes(path) + WORKING_SPACE
