"""What lies on disk is read by its headers, and what is wrong with it is told with the remedy."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gearshift.models.ladders.spec import ModelSpec
from gearshift.models.needs.checkpoint import CheckpointError, located, read_checkpoint
from gearshift.models.needs.need import weight_bytes
from gearshift.models.needs.paths import hub_cache, user_cache
from gearshift.models.needs.weights import loaded_tensors
from safetensors import safe_open


def sharded(source: Path, folder: Path) -> Path:
    """The checkpoint in several files, as large ones come."""
    from transformers import AutoModelForCausalLM

    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("model.safetensors"))
    AutoModelForCausalLM.from_pretrained(source).save_pretrained(folder, max_shard_size="1MB")
    assert len(list(folder.glob("model-*.safetensors"))) > 2
    return folder


def make_gguf(file: Path, **changes: Any) -> Path:
    from gguf import GGUFWriter

    told = {"layers": 2, "hidden": 64, "inner": 128, "heads": 4, "kept": 2, "words": 300, **changes}
    writer = GGUFWriter(str(file), "llama")
    writer.add_block_count(told["layers"])
    writer.add_context_length(512)
    writer.add_embedding_length(told["hidden"])
    writer.add_feed_forward_length(told["inner"])
    writer.add_head_count(told["heads"])
    writer.add_head_count_kv(told["kept"])
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([f"<{i}>" for i in range(told["words"])])
    writer.add_chat_template("{{ messages }}")
    writer.add_tensor("token_embd.weight", np.zeros((told["words"], told["hidden"]), np.float16))
    for i in range(told["layers"]):
        writer.add_tensor(f"blk.{i}.ffn_up.weight", np.zeros((told["inner"], told["hidden"]), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


@pytest.mark.parametrize("name", ["large", "small"])
def test_weight_bytes_are_those_of_the_tensors(checkpoints: dict[str, Path], name: str) -> None:
    with safe_open(checkpoints[name] / "model.safetensors", "pt") as file:
        counted = sum(file.get_tensor(key).nbytes for key in file.keys())  # noqa: SIM118 - not a dict
    assert weight_bytes(checkpoints[name]) == counted


def test_shards_are_summed_and_a_missing_one_is_named(tmp_path: Path, checkpoints: dict[str, Path]) -> None:
    folder = sharded(checkpoints["medium"], tmp_path / "sharded")
    assert weight_bytes(folder) == weight_bytes(checkpoints["medium"])
    missing = sorted(folder.glob("model-*.safetensors"))[1]
    missing.unlink()
    with pytest.raises(CheckpointError, match=f"{missing.name} is missing; download it again"):
        read_checkpoint(folder)


def test_a_changed_file_is_read_anew(tmp_path: Path, checkpoints: dict[str, Path]) -> None:
    folder = shutil.copytree(checkpoints["small"], tmp_path / "copy")
    before = weight_bytes(folder)
    shutil.copy(checkpoints["medium"] / "model.safetensors", folder / "model.safetensors")
    assert weight_bytes(folder) > before


def test_an_output_that_is_tied_is_not_counted_twice(tmp_path: Path, checkpoints: dict[str, Path]) -> None:
    folder = shutil.copytree(checkpoints["medium"], tmp_path / "copy")
    whole = weight_bytes(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": True}))
    assert weight_bytes(folder) == whole - 4096 * 256 * 4


def test_a_cast_counts_the_bytes_that_it_leaves(checkpoints: dict[str, Path]) -> None:
    half = loaded_tensors(read_checkpoint(checkpoints["large"]), ModelSpec(name="a", source="", dtype="bfloat16"))
    assert sum(tensor.size for tensor in half.values()) * 2 == weight_bytes(checkpoints["large"])
    assert all(tensor.copied for tensor in half.values())


def test_a_gguf_file_counts_as_it_is_dequantised(tmp_path: Path) -> None:
    file = make_gguf(tmp_path / "model.gguf")
    found = read_checkpoint(file)
    assert found.chat and found.longest == 512
    assert found.config["num_key_value_heads"] == 2 and found.config["vocab_size"] == 300
    assert weight_bytes(file) == 4 * (300 * 64 + 2 * 128 * 64)
    assert found.tensors["token_embd.weight"].stored == 2 * 300 * 64


@pytest.mark.parametrize("keep", [0, 3, 60, 2000])
def test_a_gguf_file_that_is_cut_short_is_one_error(tmp_path: Path, keep: int) -> None:
    file = make_gguf(tmp_path / "model.gguf")
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match="model.gguf can't be read as a checkpoint"):
        read_checkpoint(file)


def test_the_cache_is_where_huggingface_hub_looks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert hub_cache() == Path.home() / ".cache" / "huggingface" / "hub"
    for name, ending in (
        ("XDG_CACHE_HOME", "huggingface/hub"), ("HF_HOME", "hub"), ("HUGGINGFACE_HUB_CACHE", ""), ("HF_HUB_CACHE", ""),
    ):  # fmt: skip
        monkeypatch.setenv(name, str(tmp_path / name))
        assert hub_cache() == tmp_path / name / ending


def test_an_id_that_is_not_in_the_cache_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no model of that id is in .*; run: hf download org/name"):
        located("org/name", tmp_path)


def test_a_user_without_a_home_has_the_cache_at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "~nobody-here")
    assert user_cache() == Path("/.cache")
