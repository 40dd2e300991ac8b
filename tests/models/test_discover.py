"""With no configuration, the chat models of the local Hugging Face cache are the ladder."""

import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from gearshift.models import Ladder, LadderError, ModelSpec
from gearshift.models.ladders import ladder as ladder_module
from gearshift.models.ladders.discover import found_in
from gearshift.models.ladders.ladder import default_ladder, quality
from gearshift.models.ladders.quality import quality_of

from .conftest import SIZES


def cached(cache: Path, name: str, source: Path, revision: str = "abc", *, main: bool = True) -> Path:
    """As huggingface_hub lays a downloaded model out: files among the blobs, links in a snapshot."""
    repository = cache / f"models--{name.replace('/', '--')}"
    folder, blobs = repository / "snapshots" / revision, repository / "blobs"
    folder.mkdir(parents=True)
    blobs.mkdir(exist_ok=True)
    for file in source.iterdir():
        blob = blobs / f"{revision}-{file.name}"
        shutil.copy(file, blob)
        (folder / file.name).symlink_to(blob)
    if main:
        (repository / "refs").mkdir(exist_ok=True)
        (repository / "refs" / "main").write_text(revision)
    return folder


def changed(folder: Path, file: str, **fields: object) -> None:
    path = folder / file
    told = {**json.loads(path.read_text()), **fields}
    path.unlink()
    path.write_text(json.dumps(told))


def headed(folder: Path, header: bytes) -> None:
    """Weights whose header is this."""
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(16))


@pytest.fixture
def cache(tmp_path: Path, checkpoints: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "hub"
    for name in SIZES:
        cached(folder, f"org/{name}", checkpoints[name])
    monkeypatch.setenv("HF_HUB_CACHE", str(folder))
    return folder


@pytest.mark.usefixtures("cache")
def test_all_chat_models_are_found_the_largest_first() -> None:
    found = Ladder.discover()
    assert [spec.name for spec in found] == ["org/large", "org/medium", "org/small"]
    assert [spec.source for spec in found] == [spec.name for spec in found]
    rungs = found.rungs()
    assert [rung.quality for rung in rungs] == sorted((rung.quality for rung in rungs), reverse=True)


def test_a_discovered_rung_loads_by_its_id(cache: Path) -> None:
    code = (
        "from gearshift.models import Ladder; from gearshift.models.needs.checkpoint import located\n"
        "from transformers import AutoModelForCausalLM\n"
        "spec = Ladder.discover()[-1]\n"
        "model = AutoModelForCausalLM.from_pretrained(spec.source, local_files_only=True)\n"
        "print(located(spec.source).name, sum(p.nbytes for p in model.parameters()))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, check=True)
    revision, size = done.stdout.split()[-2:]
    assert revision == "abc" and int(size) == sum(
        tensor.stored for tensor in _tensors(cache / "models--org--small" / "snapshots" / "abc")
    )


def _tensors(folder: Path):
    from gearshift.models.needs.checkpoint import read_checkpoint

    return read_checkpoint(folder).tensors.values()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), "model.safetensors is missing"),
        (lambda folder: (folder / "model.safetensors").resolve().unlink(), "model.safetensors is missing"),
        (lambda folder: (folder / "config.json").unlink(), "config.json is missing"),
        (lambda folder: (folder / "chat_template.jinja").unlink(), "no chat template"),
        (lambda folder: changed(folder, "config.json", architectures=["BertModel"]), "no causal language model"),
        (
            lambda folder: (folder / "model.safetensors.index.json").write_text('{"weight_map": []}'),
            "weight_map of model.safetensors.index.json is no table of names",
        ),
        (
            lambda folder: changed(folder, "config.json", quantization_config="int8"),
            "quantization_config of config.json must be an object, got 'int8'",
        ),
        (lambda folder: changed(folder, "config.json", quantization_config={"quant_method": "new"}), "is not known"),
        (lambda folder: (folder / "config.json").write_text("[" * 100_000), "config.json is not JSON"),
        (lambda folder: changed(folder, "config.json", architectures=3), "architectures of config.json must be a list"),
        (
            lambda folder: changed(folder, "config.json", hidden_size="big"),
            "hidden_size of config.json must be a whole",
        ),
        (lambda folder: headed(folder, b"12345"), "the header of model.safetensors is damaged"),
        (lambda folder: headed(folder, b'{"a": {"dtype": 3, "shape": [], "data_offsets": [0, 0]}}'), "is damaged"),
        (lambda folder: headed(folder, b'{"a": {"dtype": "F32", "shape": "x", "data_offsets": [0, 0]}}'), "is damaged"),
        (lambda folder: headed(folder, b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [8, 4]}}'), "is damaged"),
        (lambda folder: headed(folder, b"{}"), "model.safetensors holds no weights"),
    ],
)
def test_what_can_not_chat_is_left_out_and_the_log_says_why(
    cache: Path, spoil, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    spoil(cache / "models--org--medium" / "snapshots" / "abc")
    with caplog.at_level(logging.INFO):
        assert [spec.name for spec in found_in(cache)] == ["org/large", "org/small"]
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("org/medium is left out: ") and why in line


def test_the_revision_that_main_names_is_taken(cache: Path, checkpoints: dict[str, Path]) -> None:
    cached(cache, "org/small", checkpoints["large"], "newer", main=False)
    assert [spec.name for spec in found_in(cache)] == ["org/large", "org/medium", "org/small"]
    (cache / "models--org--small" / "refs" / "main").write_text("newer")
    assert [spec.name for spec in found_in(cache)] == ["org/large", "org/small", "org/medium"]


@pytest.mark.usefixtures("cache")
def test_another_cache_is_named_by_its_folders(tmp_path: Path, checkpoints: dict[str, Path]) -> None:
    folder = cached(tmp_path / "elsewhere", "org/one", checkpoints["small"])
    (spec,) = Ladder.discover(tmp_path / "elsewhere")
    assert (spec.name, spec.source) == ("org/one", str(folder))


def test_a_context_longer_than_the_model_is_cut_to_it(cache: Path) -> None:
    changed(cache / "models--org--small" / "snapshots" / "abc", "config.json", max_position_embeddings=700)
    assert {spec.name: spec.context for spec in found_in(cache)}["org/small"] == 700


@pytest.mark.usefixtures("cache")
def test_without_a_file_the_default_ladder_is_what_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladder_module, "CACHE", tmp_path)
    assert default_ladder()[0].name == "org/large"
    (tmp_path / "ladder.toml").write_text('[[rung]]\nname = "mine"\nsource = "org/small"\n')
    assert [spec.name for spec in default_ladder()] == ["mine"]


def test_an_empty_cache_and_no_file_is_one_error_with_both_remedies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladder_module, "CACHE", tmp_path)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "absent"))
    with pytest.raises(LadderError) as caught:
        default_ladder()
    for part in (str(tmp_path / "ladder.toml"), str(tmp_path / "absent"), "hf download", "gearshift demo"):
        assert part in str(caught.value)


@pytest.mark.parametrize("config", [True, False])
def test_a_repository_of_gguf_files_alone_is_told_as_that(tmp_path: Path, config: bool) -> None:
    cache = tmp_path / "ggufs"
    source = tmp_path / "source"
    source.mkdir()
    (source / "model-q4.gguf").write_bytes(b"GGUF")
    if config:
        (source / "config.json").write_text("{}")
    folder = cached(cache, "org/model", source)
    told = f"holds GGUF files and no safetensors; give the path of one of them, such as {folder / 'model-q4.gguf'}"
    with pytest.raises(LadderError) as caught:
        Ladder.discover(cache)
    assert "left out: org/model: " in str(caught.value) and told in str(caught.value)
    with pytest.raises(LadderError) as caught:
        Ladder([ModelSpec(name="a", source=str(folder))])
    assert told in str(caught.value)


def test_quality_by_size_and_precision_is_near_measured_perplexities() -> None:
    """Of Llama 3 8B by llama.cpp's table: bits for each weight, and perplexity, 6.2332 at 16 bits."""
    parameters = 8.03e9
    for bits, measured in ((8.51, 6.2343), (6.56, 6.2534), (5.70, 6.2886)):
        ours = 6.2332 * quality_of(parameters, 16) / quality_of(parameters, bits)
        assert ours == pytest.approx(measured, abs=0.02)


def test_quality_grows_with_size_and_with_precision() -> None:
    by_size = [quality_of(count, 16) for count in (1e8, 1e9, 1e10, 1e11)]
    by_bits = [quality_of(1e9, bits) for bits in (2, 3, 4, 8, 16, 32)]
    assert by_size == sorted(by_size) and by_bits == sorted(by_bits)
    assert len(set(by_size)) == 4 and len(set(by_bits)) == 6


def test_an_explicit_quality_wins_and_a_wider_dtype_adds_none(checkpoints: dict[str, Path]) -> None:
    half = ModelSpec(name="a", source=str(checkpoints["large"]), dtype="bfloat16")
    eighth = ModelSpec(name="a", source=str(checkpoints["large"]), quantisation="torchao-int8")
    whole = ModelSpec(name="a", source=str(checkpoints["large"]))
    assert quality(whole) > quality(half) > quality(eighth)
    assert quality(ModelSpec(name="a", source=str(checkpoints["large"]), dtype="float32")) == quality(whole)
    assert quality(ModelSpec(name="a", source=str(checkpoints["large"]), quality=7.0)) == 7.0
