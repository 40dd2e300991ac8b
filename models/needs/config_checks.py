"""What must hold of a config.json for a rung's need to be reckoned from it."""

from collections.abc import Mapping
from typing import Any

_OBJECTS = ("text_config", "llm_config", "quantization_config")
_NAMES = ("architectures", "layer_types", "layers_block_type")
_PLACES = ("full_attn_idxs", "attn_layer_indices")
_PATTERNS = ("sliding_window_pattern", "_sliding_window_pattern")
_COUNTS = (
    "vocab_size", "hidden_size", "n_embd", "d_model", "num_hidden_layers", "n_layer", "n_layers",
    "num_attention_heads", "n_head", "n_heads", "num_key_value_heads", "num_global_key_value_heads",
    "num_kv_shared_layers", "head_dim", "global_head_dim", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim",
    "sliding_window", "attention_chunk_size", "max_window_layers", "full_attention_interval",
)  # fmt: skip
_LAYERS = ("num_hidden_layers", "n_layer", "n_layers")
_WINDOWS = ("sliding_window", "attention_chunk_size")  # some say -1 for none
_MOST, _MOST_LAYERS = 2**31 - 1, 10_000  # beyond any model; a list is made of the layers
_WIDTHS = ("intermediate_size", "n_inner")  # a list where layers differ in it


def check_objects(config: Mapping[str, Any]) -> None:
    """Raises ValueError, naming the field and what it holds."""
    for key in _OBJECTS:
        if not isinstance(config.get(key) or {}, dict):
            raise ValueError(f"{key} of config.json must be an object, got {config[key]!r}")


def check_fields(config: Mapping[str, Any]) -> None:
    """Of the text model. What is missing or null is as good as any. Raises ValueError as above."""
    for key in (*_COUNTS, *_WIDTHS):
        value = config.get(key)
        each = value if key in _WIDTHS and isinstance(value, list) else [value]
        least, most = -1 if key in _WINDOWS else 0, _MOST_LAYERS if key in _LAYERS else _MOST
        if not all(one is None or (_whole(one) and least <= one <= most) for one in each):
            raise ValueError(f"{key} of config.json must be a whole number up to {most}, got {value!r}")
    for key in _NAMES:
        value = config.get(key)
        if value is not None and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
            raise ValueError(f"{key} of config.json must be a list of names, got {value!r}")

    for key in _PLACES:
        value = config.get(key)
        if value is not None and not (isinstance(value, list) and all(isinstance(one, int) for one in value)):
            raise ValueError(f"{key} of config.json must be a list of layers, got {value!r}")
    for key in _PATTERNS:
        value = config.get(key)
        if value is not None and not (isinstance(value, str) or (_whole(value) and 0 <= value <= _MOST)):
            raise ValueError(f"{key} of config.json must be a text or a whole number, got {value!r}")


def _whole(value: Any) -> bool:
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
