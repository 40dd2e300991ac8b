"""What a checkpoint's tensors take once they are loaded: cast, quantised, tied, left out.

Source: transformers' `from_pretrained`; the layouts of torchao (a scale for each row, or for each 128 weights) and of
bitsandbytes (a float32 for each row, or for each 64 weights).
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from ..ladders.spec import ModelSpec
from .checkpoint import DTYPE_BYTES, Checkpoint, Tensor

_OUTPUT = re.compile(r"(^|\.)(lm_head|embed_out|output)\.weight$")
_EMBEDDING = re.compile(r"(^|\.)(embed_tokens|embed_in|wte|wpe|token_embd|tok_embeddings|word_embeddings|embeddings)\b")
LAYER = re.compile(r"(^|\.)(?:layers|h|blk|blocks|block)\.(\d{1,6})\.")
_UNUSED = re.compile(r"^mtp\.|rotary_emb\.inv_freq$|\.attn\.(masked_)?bias$")
_INT4_GROUP, _NF4_GROUP = 128, 64


class Loaded(NamedTuple):
    """size: bytes once loaded. copied: it is not the file's own pages, but memory of its own."""

    size: int
    copied: bool


def run_dtype(checkpoint: Checkpoint, spec: ModelSpec) -> str:
    """What the model computes in, and what its cache holds."""
    if spec.dtype != "auto":
        return spec.dtype
    named = checkpoint.config.get("dtype") or checkpoint.config.get("torch_dtype")
    if isinstance(named, str) and named in DTYPE_BYTES:
        return named
    stored = (
        tensor.dtype for tensor in checkpoint.tensors.values() if tensor.dtype in ("float32", "float16", "bfloat16")
    )
    return next(stored, "float32")


def loaded_tensors(checkpoint: Checkpoint, spec: ModelSpec) -> dict[str, Loaded]:
    """By name, without those that a load leaves out: of tied pairs the second, of layers those past the last."""
    target = DTYPE_BYTES[run_dtype(checkpoint, spec)]
    layers = checkpoint.config.get("num_hidden_layers")
    tied = bool(checkpoint.config.get("tie_word_embeddings"))
    embedded = {tensor.shape for name, tensor in checkpoint.tensors.items() if _EMBEDDING.search(name)}
    found = {}
    for name, tensor in checkpoint.tensors.items():
        layer = LAYER.search(name)
        past = layer is not None and isinstance(layers, int) and int(layer[2]) >= layers
        if past or _UNUSED.search(name) or (tied and _OUTPUT.search(name) and tensor.shape in embedded):
            continue
        found[name] = _loaded(name, tensor, target, checkpoint, spec.quantisation)
    return found


def parameters(checkpoint: Checkpoint) -> int:
    """How many weights the model has; packed ones of a quantised checkpoint are counted apart."""
    bits = stored_bits(checkpoint.config.get("quantization_config") or {})
    kept = loaded_tensors(checkpoint, ModelSpec(name="", source=""))
    total = 0
    for name in kept:
        tensor = checkpoint.tensors[name]
        whole = tensor.dtype in ("uint8", "int32", "int8", "int64") and bits is not None
        if whole and bits is not None:
            total += tensor.stored * 8 // bits
        elif not name.endswith(("scale", "scales", "absmax", "zeros", "zero_point")):
            total += tensor.elements
    return total


def stored_bits(quantised: Mapping[str, object]) -> int | None:
    """Bits of a weight, by a checkpoint's quantization_config; None where that doesn't tell."""
    if isinstance(bits := quantised.get("bits"), int) and 0 < bits <= 64:
        return bits
    told = str(quantised).lower()
    if quantised.get("load_in_4bit") or "int4" in told or "mxfp4" in told or "nf4" in told:
        return 4
    return 8 if quantised else None


def _loaded(name: str, tensor: Tensor, target: int, checkpoint: Checkpoint, quantisation: str | None) -> Loaded:
    if checkpoint.quantised is not None and not checkpoint.gguf:
        return Loaded(tensor.stored, copied=False)
    if "float" not in tensor.dtype or tensor.dtype not in DTYPE_BYTES:
        return Loaded(tensor.stored, copied=False)
    if quantisation is not None and _linear(name, tensor):
        return Loaded(_quantised(tensor, target, quantisation), copied=True)
    cast = DTYPE_BYTES[tensor.dtype] != target
    return Loaded(tensor.elements * target, copied=cast or checkpoint.gguf)


def _linear(name: str, tensor: Tensor) -> bool:
    """A linear layer's matrix, and neither an embedding nor what computes the logits: quantisers leave those."""
    matrix = len(tensor.shape) == 2 and name.endswith(".weight")
    return matrix and not _EMBEDDING.search(name) and not _OUTPUT.search(name)


def _quantised(tensor: Tensor, target: int, quantisation: str) -> int:
    count, rows = tensor.elements, tensor.shape[0]
    if quantisation == "torchao-int8":
        return count + rows * (target + DTYPE_BYTES["int8"])  # a scale and a zero point
    if quantisation == "torchao-int4":
        return count // 2 + 2 * target * -(-count // _INT4_GROUP)
    if quantisation == "bitsandbytes-8bit":
        return count + rows * DTYPE_BYTES["float32"]
    return count // 2 + DTYPE_BYTES["float32"] * -(-count // _NF4_GROUP)
