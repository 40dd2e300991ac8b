"""What goes wrong with loads, provoked: each is refused or healed, and nothing is kept."""

import gc
import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from gearshift.models import ModelSpec, Options
from gearshift.models.engine.loading import load_transformers, prepare
from gearshift.models.failures import LoadError
from gearshift.models.replies.generation import Brake

from .replies import copied

ROOT = Path(__file__).parents[2]
QUESTION = [{"role": "user", "content": "Hello"}]


def words(model: Any) -> str:
    pieces: list[str] = []
    model.generate(QUESTION, "", Options(max_new_tokens=12), pieces.append, Brake())
    return "".join(pieces)


def logits(model: Any) -> Any:
    import torch

    with torch.inference_mode():
        return model._model(torch.arange(2, 10)[None]).logits


def changed(source: Path, target: Path, **config: Any) -> Path:
    shutil.copytree(source, target)
    file = target / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **config}))
    return target


@pytest.fixture
def small(checkpoints: dict[str, Path]) -> ModelSpec:
    return ModelSpec(name="small", source=str(checkpoints["small"]), context=512)


def test_overlapping_loads_of_tied_weights_leave_the_right_logits_and_nothing_on_meta(small: ModelSpec) -> None:
    import torch

    expected, seen, wrong = logits(load_transformers(small)), [], []

    def load() -> None:
        try:
            for _ in range(6):
                model = load_transformers(small)
                seen.append(torch.equal(logits(model), expected))
                seen.append(not any(p.is_meta for p in model._model.parameters()))
                tied = model._model.lm_head.weight.data_ptr() == model._model.model.embed_tokens.weight.data_ptr()
                seen.append(tied)
                model.close()
        except LoadError as error:
            wrong.append(str(error))

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not wrong and len(seen) == 72 and all(seen)


def test_a_tie_weights_left_as_a_no_op_is_found_put_back_and_the_next_load_is_good(small: ModelSpec) -> None:
    from transformers import PreTrainedModel

    expected = words(load_transformers(small))
    original = PreTrainedModel.tie_weights
    PreTrainedModel.tie_weights = lambda *_, **__: None
    try:
        with pytest.raises(LoadError, match="small: .*PreTrainedModel.tie_weights was left replaced.*load again"):
            load_transformers(small)
        assert PreTrainedModel.tie_weights is original
        assert words(load_transformers(small)) == expected
    finally:
        PreTrainedModel.tie_weights = original


def test_a_register_parameter_left_patched_is_found_and_put_back(small: ModelSpec) -> None:
    import torch

    prepare()
    original = torch.nn.Module.register_parameter

    def register_empty_parameter(module: Any, name: str, parameter: Any) -> None:
        original(module, name, parameter)

    torch.nn.Module.register_parameter = register_empty_parameter
    try:
        with pytest.raises(LoadError, match="Module.register_parameter was left replaced"):
            load_transformers(small)
        assert torch.nn.Module.register_parameter is original
    finally:
        torch.nn.Module.register_parameter = original


def test_a_load_that_overlaps_with_one_outside_is_refused_and_not_wrong(small: ModelSpec, monkeypatch: Any) -> None:
    from transformers import AutoModelForCausalLM, PreTrainedModel

    prepare()
    load, original = AutoModelForCausalLM.from_pretrained, PreTrainedModel.tie_weights

    def overlapped(*args: Any, **kwargs: Any) -> Any:
        model = load(*args, **kwargs)
        PreTrainedModel.tie_weights = lambda *_, **__: None
        return model

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", overlapped)
    with pytest.raises(LoadError, match="overlapping load"):
        load_transformers(small)
    assert PreTrainedModel.tie_weights is original


def test_weights_that_are_missing_or_torn_apart_are_found(small: ModelSpec) -> None:
    import torch
    from gearshift.models.engine.loading_checks import check

    model = load_transformers(small)._model
    model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
    with pytest.raises(RuntimeError, match="lm_head.weight should be tied to model.embed_tokens.weight"):
        check(model)
    model.lm_head.weight = torch.nn.Parameter(torch.empty(4096, 64, device="meta"))
    with pytest.raises(RuntimeError, match="1 weights were not loaded, such as lm_head.weight"):
        check(model)


def test_logits_that_are_not_finite_are_refused(tmp_path: Path, checkpoints: dict[str, Path]) -> None:
    from safetensors.torch import load_file, save_file

    folder = changed(checkpoints["small"], tmp_path / "broken")
    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"] = weights["model.norm.weight"] * float("nan")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(LoadError, match="broken: .*not finite"):
        load_transformers(ModelSpec(name="broken", source=str(folder)))


@pytest.mark.parametrize(("kept", "dtype"), [(False, "bfloat16"), (True, "auto")], ids=["copied", "kept"])
def test_loads_interrupted_half_way_give_their_memory_back_even_while_their_errors_are_kept(
    kept: bool, dtype: str, checkpoints: dict[str, Path]
) -> None:
    command = [sys.executable, "-m", "tests.models.interrupted_loads", str(checkpoints["large"]), dtype]
    done = subprocess.run(
        [*command, *(["kept"] if kept else [])], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_an_error_of_a_load_keeps_no_object_of_it(small: ModelSpec, monkeypatch: Any) -> None:
    import torch
    from gearshift.models.engine import loading

    def tensors() -> int:
        return sum(isinstance(each, torch.nn.Parameter) for each in gc.get_objects())

    def interrupted(*_: Any) -> None:
        raise KeyError("odd")

    monkeypatch.setattr(loading, "step", interrupted)
    gc.collect()
    before = tensors()
    with pytest.raises(LoadError, match="small: KeyError: 'odd'") as caught:
        load_transformers(small)
    assert not caught.value.out_of_memory and tensors() == before


def test_weights_that_the_files_lack_are_refused_and_not_made_up(tmp_path: Path, checkpoints: dict[str, Path]) -> None:
    folder = copied(checkpoints["small"], tmp_path / "short", config={"num_hidden_layers": 5})
    with pytest.raises(LoadError, match=r"short: .*files lack 9 of the weights .* such as model\.layers\.4"):
        load_transformers(ModelSpec(name="short", source=str(folder)))


def test_a_checkpoint_cut_short_is_refused_and_the_next_load_is_good(
    tmp_path: Path, checkpoints: dict[str, Path], small: ModelSpec
) -> None:
    folder = changed(checkpoints["small"], tmp_path / "cut")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    with pytest.raises(LoadError, match="^cut: ") as caught:
        load_transformers(ModelSpec(name="cut", source=str(folder)))
    assert not caught.value.out_of_memory
    assert words(load_transformers(small))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"source": "/nowhere/model.gguf"}, "GGUF file /nowhere/model.gguf is not there"),
        (
            {"source": "nobody/no-such-model"},
            "not in the local Hugging Face cache; run: hf download nobody/no-such-model",
        ),
        ({"source": "/nowhere at all"}, "neither a folder nor the id of a model"),
        ({"dtype": "float33"}, "'float33' is no floating-point dtype"),
        ({"dtype": "int8"}, "'int8' is no floating-point dtype"),
        ({"device": "cuda:99"}, "this machine has no cuda:99"),
        ({"device": "gpu"}, "'gpu' is unknown; give cpu, auto"),
        ({"quantisation": "int3"}, "'int3' is unknown; give one of torchao-int8"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_a_rung_asks_for_and_cannot_have_is_named_with_its_remedy(
    given: dict[str, str], reason: str, small: ModelSpec
) -> None:
    import msgspec

    with pytest.raises(LoadError) as caught:
        load_transformers(msgspec.structs.replace(small, **given))
    assert str(caught.value).startswith("small: ") and reason in str(caught.value)


def test_a_missing_package_is_named_with_the_command_that_installs_it(
    small: ModelSpec, monkeypatch: Any, tmp_path: Path
) -> None:
    import importlib.util

    import msgspec

    find = importlib.util.find_spec
    absent = ("gguf", "torchao", "bitsandbytes")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name in absent else find(name, *a))
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF")
    for package, given in (
        ("gguf", {"source": str(file)}),
        ("torchao", {"quantisation": "torchao-int8"}),
        ("bitsandbytes", {"quantisation": "bitsandbytes-4bit"}),
    ):
        extra = "gpu" if package == "bitsandbytes" else "quantised"
        told = rf"needs the package {package}; run: pip install 'gearshift\[{extra}\]'"
        with pytest.raises(LoadError, match=told):
            load_transformers(msgspec.structs.replace(small, **given))
