"""The key and value cache of a context, from a config.

Source: transformers' `DynamicCache` and `get_layer_types_and_kwargs`; models' configs for what old files leave out.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

_BOUNDED = ("sliding_attention", "chunked_attention", "hybrid_sliding", "reference_sliding_attention")
_FULL = ("full_attention", "attention", "hybrid", "indexed_attention", "compressed_sparse_attention")
# models whose every n-th layer attends to all, where their config doesn't say so
_PATTERNS = {"gemma2": 2, "gemma3": 6, "gemma3_text": 6, "cohere2": 4, "gpt_oss": 2}
_INTERVALS = {"qwen3_next": 4, "qwen3_5": 4, "qwen3_5_text": 4}


class CacheLayer(NamedTuple):
    """per_token: bytes. limit: tokens that it keeps at most, None for all."""

    per_token: int
    limit: int | None

    def bytes(self, context: int) -> int:
        """What it holds once `context` tokens have been read."""
        return self.per_token * (context if self.limit is None else min(context, self.limit))


def cache_layers(config: Mapping[str, Any], element: int) -> list[CacheLayer]:
    """One for each layer; one without a cache (linear attention, shared keys) keeps nothing.

    Args:
        config: of the text model, as in config.json.
        element: bytes of one number in the cache.

    Empty where the config doesn't tell the layers.

    >>> smollm2 = {"num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3, "hidden_size": 576}
    >>> sum(layer.bytes(1024) for layer in cache_layers(smollm2, 2))
    23592960
    """
    layers = _first(config, "num_hidden_layers", "n_layer", "n_layers")
    heads, hidden = (
        _first(config, "num_attention_heads", "n_head", "n_heads"),
        _first(config, "hidden_size", "n_embd", "d_model"),
    )
    if not (layers and heads and hidden):
        return []
    kinds = _kinds(config, layers)
    own = layers - (config.get("num_kv_shared_layers") or 0)
    window = config.get("sliding_window") or config.get("attention_chunk_size")
    found = []
    for i, kind in enumerate(kinds):
        bounded = kind in _BOUNDED
        if i >= own or not (bounded or kind in _FULL):
            found.append(CacheLayer(0, None))
            continue
        wide = not bounded and "global_head_dim" in config
        keys, values = _widths(config, hidden // heads, wide)
        kept = config.get("num_key_value_heads") or (1 if config.get("multi_query") else heads)
        if wide:
            kept = config.get("num_global_key_value_heads") or kept
        # the newest token of a window is not kept: the step that reads it brings it along
        limit = max(1, int(window) - 1) if bounded and window else None
        found.append(CacheLayer(kept * (keys + values) * element, limit))
    return found


def cache_bytes(layers: Sequence[CacheLayer], context: int) -> int:
    """Of all layers, with `context` tokens read."""
    return sum(layer.bytes(context) for layer in layers)


def growth(layers: Sequence[CacheLayer], context: int) -> int:
    """Bytes that one token more than `context` takes."""
    return cache_bytes(layers, context + 1) - cache_bytes(layers, context)


def _first(config: Mapping[str, Any], *keys: str) -> int:
    return next((int(config[key]) for key in keys if config.get(key)), 0)


def _widths(config: Mapping[str, Any], usual: int, wide: bool) -> tuple[int, int]:
    """Numbers that a head keeps as key and as value."""
    if config.get("qk_nope_head_dim") is not None and config.get("qk_rope_head_dim") is not None:
        keys = int(config["qk_nope_head_dim"]) + int(config["qk_rope_head_dim"])
        return keys, int(config.get("v_head_dim") or keys)
    size = (config.get("global_head_dim") if wide else None) or config.get("head_dim") or usual
    return int(size), int(size)


def _kinds(config: Mapping[str, Any], layers: int) -> list[str]:
    """As transformers' config classes fill in what an older config.json leaves out."""
    named = config.get("layer_types") or config.get("layers_block_type")
    if named:
        return list(named)
    model = str(config.get("model_type", ""))
    full = config.get("full_attn_idxs") or config.get("attn_layer_indices")
    if full is not None:
        return ["full_attention" if i in full else "linear_attention" for i in range(layers)]
    if interval := config.get("full_attention_interval") or _INTERVALS.get(model):
        return ["linear_attention" if (i + 1) % interval else "full_attention" for i in range(layers)]
    if not config.get("sliding_window") or config.get("use_sliding_window") is False:
        chunked = "chunked_attention" if config.get("attention_chunk_size") else "full_attention"
        return [chunked] * layers
    if "use_sliding_window" in config:  # of the Qwen family: the first layers attend to all
        first = int(config.get("max_window_layers") or 0)
        return ["sliding_attention" if i >= first else "full_attention" for i in range(layers)]
    pattern = config.get("sliding_window_pattern") or config.get("_sliding_window_pattern") or _PATTERNS.get(model)
    if isinstance(pattern, str):
        return ["sliding_attention" if pattern[i % len(pattern)] == "L" else "full_attention" for i in range(layers)]
    if pattern:
        return ["sliding_attention" if (i + 1) % pattern else "full_attention" for i in range(layers)]
    return ["sliding_attention"] * layers
