"""Estimates against what transformers itself makes and places."""

import time
from pathlib import Path
from typing import Any

import pytest
from gearshift.models import ModelSpec
from gearshift.models.needs.kv_cache import cache_bytes, cache_layers, growth
from gearshift.models.needs.need import MIB, estimate, weight_bytes
from gearshift.models.needs.placing import placed, shared_out

from .replies import copied

TINY = {"vocab_size": 128, "hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4}
FAMILIES: dict[str, dict[str, Any]] = {
    "llama": {"num_key_value_heads": 2, "num_hidden_layers": 3},
    "llama with its own head size": {
        "model_type": "llama", "num_key_value_heads": 1, "head_dim": 32, "num_hidden_layers": 2,
    },
    "mistral": {"num_key_value_heads": 2, "num_hidden_layers": 2, "sliding_window": 16},
    "qwen2": {
        "num_key_value_heads": 2, "num_hidden_layers": 4, "use_sliding_window": True, "sliding_window": 8,
        "max_window_layers": 2,
    },
    "qwen2 without windows": {
        "model_type": "qwen2", "num_key_value_heads": 2, "num_hidden_layers": 2, "use_sliding_window": False,
        "sliding_window": 8,
    },
    "gemma2": {"num_key_value_heads": 2, "num_hidden_layers": 4, "sliding_window": 8, "head_dim": 16},
    "gemma3_text": {"num_key_value_heads": 1, "num_hidden_layers": 7, "sliding_window": 8, "head_dim": 16},
    "gpt2": {"n_embd": 64, "n_layer": 2, "n_head": 4},
    "lfm2": {"num_key_value_heads": 2, "num_hidden_layers": 3, "full_attn_idxs": [1]},
}  # fmt: skip
CONTEXT = 40


def made(name: str) -> Any:
    from transformers import AutoConfig, AutoModelForCausalLM

    fields = dict(FAMILIES[name])
    kind = fields.pop("model_type", name)
    config = AutoConfig.for_model(kind, **{**(TINY if kind != "gpt2" else {"vocab_size": 128}), **fields})
    return AutoModelForCausalLM.from_config(config), {"model_type": kind, **(TINY if kind != "gpt2" else {}), **fields}


@pytest.mark.parametrize("name", FAMILIES)
def test_the_cache_of_a_context_is_what_transformers_keeps(name: str) -> None:
    import torch
    from transformers import DynamicCache

    model, old = made(name)
    cache = DynamicCache(config=model.config)
    with torch.inference_mode():
        model(torch.zeros((1, CONTEXT), dtype=torch.long), past_key_values=cache, use_cache=True)
    kept = sum(
        tensor.numel() * 4
        for layer in cache.layers
        for tensor in (getattr(layer, "keys", None), getattr(layer, "values", None))
        if tensor is not None
    )
    assert kept > 0
    for config in (model.config.to_dict(), old):  # as it is saved now, and as an older file leaves things out
        assert cache_bytes(cache_layers(config, 4), CONTEXT) == kept


def test_a_token_past_the_window_takes_room_in_full_layers_only() -> None:
    config = {**TINY, "model_type": "gemma2", "num_key_value_heads": 2, "num_hidden_layers": 4, "sliding_window": 8}
    layers = cache_layers(config, 2)
    one = 2 * 2 * 16 * 2  # keys and values, heads, head size, bytes
    assert growth(layers, 4) == 4 * one and growth(layers, 20) == 2 * one


def test_heads_of_a_compressed_attention_are_cached_unpacked() -> None:
    config = {**TINY, "num_hidden_layers": 1, "qk_nope_head_dim": 24, "qk_rope_head_dim": 8, "v_head_dim": 16}
    assert cache_bytes(cache_layers(config, 2), 10) == 10 * 4 * (32 + 16) * 2


def test_a_config_that_does_not_tell_has_no_cache() -> None:
    assert cache_layers({}, 4) == []


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("shares", [(1.02, 4.0), (0.45, 4.0), (0.7, 0.6), (0.3, 0.3), (0.1, 0.2)])
def test_weights_are_placed_as_transformers_places_them(tied: bool, shares: tuple[float, float]) -> None:
    import torch
    from transformers import AutoModelForCausalLM, LlamaConfig
    from transformers.integrations.accelerate import infer_auto_device_map

    config = LlamaConfig(**TINY, num_key_value_heads=2, num_hidden_layers=12, tie_word_embeddings=tied)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    tied_away = {"lm_head.weight"} if tied else set()
    sizes = {name: tensor.nbytes for name, tensor in model.named_parameters() if name not in tied_away}
    whole = sum(sizes.values())
    limits = {"cuda:0": int(shares[0] * whole), "cuda:1": int(shares[1] * whole), "ram": 100 * whole}
    theirs = infer_auto_device_map(
        model,
        max_memory={0: limits["cuda:0"], 1: limits["cuda:1"], "cpu": limits["ram"]},
        no_split_module_classes=["LlamaDecoderLayer"],
        clean_result=False,
    )
    pools = {0: "cuda:0", 1: "cuda:1", "cpu": "ram", "disk": "disk"}
    expected = {
        name: next(
            pools[device] for module, device in theirs.items() if name == module or name.startswith(module + ".")
        )
        for name in sizes
    }
    assert placed(sizes, limits) == expected
    assert len(set(expected.values())) == len(set(theirs.values()))


def test_a_balanced_share_is_as_transformers_balances_it() -> None:
    import torch
    from transformers import AutoModelForCausalLM, LlamaConfig
    from transformers.integrations.accelerate import get_balanced_memory

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(LlamaConfig(**TINY, num_key_value_heads=2, num_hidden_layers=6))
    sizes = {name: tensor.nbytes for name, tensor in model.named_parameters()}
    whole = sum(sizes.values())
    theirs = get_balanced_memory(
        model, max_memory={0: whole, 1: whole, 2: whole}, no_split_module_classes=["LlamaDecoderLayer"]
    )
    ours = shared_out(sizes, {f"cuda:{i}": whole for i in range(3)})
    assert [ours[f"cuda:{i}"] for i in range(3)] == pytest.approx([theirs[i] for i in range(3)], abs=512)  # buffers


def test_layers_take_their_cache_along_and_each_device_its_process(checkpoints: dict[str, Path]) -> None:
    spec = ModelSpec(name="a", source=str(checkpoints["large"]), device="auto", context=512)
    whole = weight_bytes(spec.source)
    found = estimate(spec, room={"cuda:0": int(0.8 * whole), "cuda:1": int(0.8 * whole), "ram": 100 * whole})
    assert sum(found.weights.values()) == whole and set(found.weights) == {"cuda:0", "cuda:1"}
    alone = estimate(ModelSpec(name="a", source=spec.source, context=512))
    assert sum(found.cache.values()) == alone.cache["ram"] and len(found.cache) == 2
    assert set(found.total().need) == {"cuda:0", "cuda:1", "ram"}


def test_auto_without_an_accelerator_is_ram(checkpoints: dict[str, Path]) -> None:
    spec = ModelSpec(name="a", source=str(checkpoints["small"]), device="auto")
    plain = estimate(ModelSpec(name="a", source=spec.source)).total()
    assert estimate(spec, room={"ram": 1 << 40}).total() == plain


def test_what_fits_nowhere_is_told(checkpoints: dict[str, Path]) -> None:
    spec = ModelSpec(name="a", source=str(checkpoints["large"]), device="auto")
    whole = weight_bytes(spec.source)
    found = estimate(spec, room={"cuda:0": whole // 4, "ram": whole // 4})
    assert found.unplaced > 0 and found.unplaced + sum(found.weights.values()) == whole


def test_a_cast_passes_through_three_times_its_size(checkpoints: dict[str, Path]) -> None:
    spec = ModelSpec(name="a", source=str(checkpoints["large"]), dtype="bfloat16", context=16)
    found = estimate(spec)
    assert found.weights["ram"] + found.passing["ram"] == 3 * found.weights["ram"] and not found.exact
    assert found.total().peak["ram"] - found.base["ram"] == 3 * found.weights["ram"]


def test_weights_kept_as_they_are_stored_pass_through_nothing(checkpoints: dict[str, Path]) -> None:
    found = estimate(ModelSpec(name="a", source=str(checkpoints["large"])))
    assert found.exact and found.passing == {"ram": 0} and found.total().peak == found.total().need


def test_the_file_of_an_embedding_kept_in_place_stays_mapped_beside_quantised_weights(
    checkpoints: dict[str, Path],
) -> None:
    plain = estimate(ModelSpec(name="a", source=str(checkpoints["large"])))
    int8 = estimate(ModelSpec(name="a", source=str(checkpoints["large"]), quantisation="torchao-int8"))
    linear = plain.weights["ram"] - 2 * 4096 * 512 * 4 - 9 * 512 * 4  # without embedding, head and norms
    assert int8.weights["ram"] == pytest.approx(plain.weights["ram"] + linear / 4, rel=0.01)


def test_an_estimate_takes_milliseconds(checkpoints: dict[str, Path]) -> None:
    spec = ModelSpec(name="a", source=str(checkpoints["large"]))
    estimate(spec)
    took = []
    for _ in range(5):
        began = time.perf_counter()
        estimate(spec)
        took.append(time.perf_counter() - began)
    assert min(took) < 0.02
    assert estimate(spec).total().need["ram"] > weight_bytes(spec.source) + 30 * MIB


def test_layers_of_differing_widths_count_by_the_widest(tmp_path: Path, checkpoints: dict[str, Path]) -> None:
    def working(width: int | list[int]) -> dict[str, int]:
        folder = copied(checkpoints["small"], tmp_path / str(width), config={"intermediate_size": width})
        return estimate(ModelSpec(name="a", source=str(folder), context=512)).working

    assert working([128, 256, 64, 64]) == working(256) != working(128)


def test_a_pattern_of_windows_may_be_spelled_with_letters() -> None:
    config = {"num_hidden_layers": 8, "num_attention_heads": 1, "hidden_size": 8, "sliding_window": 4}
    limits = [layer.limit for layer in cache_layers({**config, "sliding_window_pattern": "LLG"}, 4)]
    assert limits == [3, 3, None, 3, 3, None, 3, 3]
