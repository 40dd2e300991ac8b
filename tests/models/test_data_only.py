"""Ladders and checkpoints are data: no code runs from them, and what could run some is refused with the remedy.

The code that must not run makes a file; that it would is shown first.
"""

import builtins
import contextlib
import json
import os
import pickle
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from gearshift.models import Ladder, LadderError, ModelSpec, Options
from gearshift.models.engine.loading import load_transformers
from gearshift.models.engine.prompting import Prompter
from gearshift.models.engine.templating import limited
from gearshift.models.failures import LoadError, ModelError
from gearshift.models.replies.generation import Brake

INDEX = "model.safetensors.index.json"
OWN = "or have the app's own code load it, by InlineHost\\(load\\)"


class Bomb:
    """Pickled, it makes a file where it is read."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.file),)


@pytest.fixture
def fired(tmp_path: Path) -> Path:
    return tmp_path / "fired"


@pytest.fixture
def folder(tmp_path: Path, checkpoints: dict[str, Path]) -> Path:
    return Path(shutil.copytree(checkpoints["small"], tmp_path / "model"))


def spec(folder: Path) -> ModelSpec:
    return ModelSpec(name="small", source=str(folder), context=512)


def unseen(folder: Path) -> ModelSpec:
    """One whose files no ladder looks into, so that only the load can refuse them."""
    return ModelSpec(name="small", source=str(folder), context=512, need={"ram": 1 << 20}, quality=1.0)


def changed(file: Path, **more: Any) -> None:
    found = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps({**found, **more}))


def plant(file: Path, fired: Path) -> None:
    """The same bomb as a raw pickle and in torch's own form, by the file's ending."""
    if file.suffix == ".bin":
        torch.save({"model.embed_tokens.weight": Bomb(fired)}, file)
    else:
        file.write_bytes(pickle.dumps({"model.embed_tokens.weight": Bomb(fired)}))


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt"])
def test_what_is_planted_here_does_go_off_where_it_is_unpickled(tmp_path: Path, fired: Path, name: str) -> None:
    plant(tmp_path / name, fired)
    with contextlib.suppress(RuntimeError):  # it is no model, but that is seen only afterwards
        torch.load(tmp_path / name, weights_only=False)
    assert fired.exists()


def alone(folder: Path, fired: Path) -> None:
    (folder / "model.safetensors").unlink()
    plant(folder / "pytorch_model.bin", fired)


def in_shards(folder: Path, fired: Path) -> None:
    alone(folder, fired)
    (folder / "pytorch_model.bin").rename(folder / "pytorch_model-00001-of-00001.bin")
    changed(folder / "pytorch_model.bin.index.json", weight_map={"a": "pytorch_model-00001-of-00001.bin"})


def behind_a_safe_index(folder: Path, fired: Path) -> None:
    alone(folder, fired)
    changed(folder / INDEX, metadata={}, weight_map={"model.embed_tokens.weight": "pytorch_model.bin"})


def named_by_its_config(folder: Path, fired: Path) -> None:
    plant(folder / "adapter_model.bin", fired)
    changed(folder / "config.json", transformers_weights="adapter_model.bin")


def of_an_old_kind(folder: Path, fired: Path) -> None:
    (folder / "model.safetensors").unlink()
    plant(folder / "model.ckpt", fired)


def under_a_safe_name(folder: Path, fired: Path) -> None:
    plant(folder / "model.safetensors", fired)


def as_an_adapter(folder: Path, fired: Path) -> None:
    plant(folder / "adapter_model.bin", fired)
    changed(folder / "adapter_config.json", peft_type="LORA", base_model_name_or_path=str(folder))


@pytest.mark.parametrize(
    ("hide", "told"),
    [
        (alone, f"holds its weights as pytorch_model.bin, a pickle, which can run any code; .*{OWN}"),
        (in_shards, f"holds its weights as pytorch_model-00001-of-00001.bin, a pickle, .*{OWN}"),
        (
            behind_a_safe_index,
            f"index.json names pytorch_model.bin, which is no safetensors, .*{OWN}",
        ),
        (named_by_its_config, "transformers_weights of config.json names 'adapter_model.bin', which is no safetensors"),
        (of_an_old_kind, "holds its weights as model.ckpt, a pickle"),
        (under_a_safe_name, None),
        (as_an_adapter, "holds an adapter to another model; merge both"),
    ],
)
def test_weights_in_pickle_are_refused_by_the_ladder_and_by_the_load(
    folder: Path, fired: Path, hide: Callable[[Path, Path], None], told: str | None
) -> None:
    hide(folder, fired)
    with pytest.raises(LadderError, match=told or "model.safetensors has no safetensors header"):
        Ladder([spec(folder)])
    with pytest.raises(LoadError, match=told or "SafetensorError|header"):
        load_transformers(unseen(folder))
    assert not fired.exists()


def test_a_pickle_given_as_the_source_is_refused(tmp_path: Path, fired: Path) -> None:
    plant(tmp_path / "model.pt", fired)
    with pytest.raises(LadderError, match=f"model.pt is a pickle, which can run any code; .*{OWN}"):
        Ladder([spec(tmp_path / "model.pt")])
    assert not fired.exists()


def test_a_pickle_beside_safetensors_is_not_opened(folder: Path, fired: Path) -> None:
    for name in ("pytorch_model.bin", "optimizer.pt", "training_args.bin", "tokenizer.pkl"):
        plant(folder / name, fired)
    load_transformers(Ladder([spec(folder)])[0]).close()
    assert not fired.exists()


CODE = """
import os
os.mkdir({fired!r})
from transformers import LlamaConfig, LlamaForCausalLM, LlamaTokenizer
class Config(LlamaConfig):
    model_type = "own"
class Model(LlamaForCausalLM):
    config_class = Config
def generate(*args, **kwargs):
    pass
"""


def with_code(folder: Path, fired: Path) -> None:
    (folder / "custom_generate").mkdir()
    for name in ("own.py", "custom_generate/generate.py"):
        (folder / name).write_text(CODE.format(fired=str(fired)))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a prompt asked; the answer is yes."""
    prompts: list[str] = []
    monkeypatch.setattr(builtins, "input", lambda prompt="": prompts.append(prompt) or "y")
    return prompts


@pytest.mark.usefixtures("asked")
def test_what_is_written_there_does_run_where_an_app_trusts_it(folder: Path, fired: Path) -> None:
    from transformers import AutoConfig

    with_code(folder, fired)
    changed(folder / "config.json", model_type="own", auto_map={"AutoConfig": "own.Config"})
    AutoConfig.from_pretrained(folder)  # it asks, and the answer is yes
    assert fired.exists()


@pytest.mark.parametrize("more", [{}, {"AutoModelForCausalLM": "own.Model"}])
def test_a_model_that_needs_code_of_its_own_is_refused_and_nobody_is_asked(
    folder: Path, fired: Path, asked: list[str], more: dict[str, str]
) -> None:
    with_code(folder, fired)
    changed(folder / "config.json", model_type="own", auto_map={"AutoConfig": "own.Config", **more})
    told = "brings Python code of its own, and none is run from a checkpoint; give a model that transformers knows, "
    with pytest.raises(LoadError, match=told + OWN):
        load_transformers(spec(folder))
    assert not fired.exists() and asked == []


def test_code_beside_a_model_that_transformers_knows_is_left_alone(folder: Path, fired: Path, asked: list[str]) -> None:
    with_code(folder, fired)
    auto = {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model"}
    changed(folder / "config.json", auto_map=auto)
    changed(folder / "tokenizer_config.json", auto_map={"AutoTokenizer": ["own.Own", "own.Own"]})
    changed(folder / "generation_config.json", custom_generate=str(folder), auto_map=auto)
    model = load_transformers(Ladder([spec(folder)])[0])
    model.generate([{"role": "user", "content": "a"}], "", Options(max_new_tokens=2), lambda _: None, Brake())
    assert type(model._model).__module__.startswith("transformers.models.llama")
    model.close()
    assert not fired.exists() and asked == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("attn_implementation", "someone/kernel"),
        ("_attn_implementation", "someone/kernel@v1:run"),
        ("experts_implementation", {"text_config": "someone/kernel"}),
    ],
)
def test_a_kernel_from_a_hub_is_refused(folder: Path, key: str, value: Any) -> None:
    changed(folder / "config.json", **{key: value})
    for attempt in (lambda: Ladder([spec(folder)]), lambda: load_transformers(unseen(folder))):
        with pytest.raises((LadderError, LoadError), match="names 'someone/kernel.*', code from a hub; remove it"):
            attempt()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("trust_remote_code = true", "trust_remote_code"),
        ("pickle = true", "pickle"),
        ('python = "/bin/sh"', "python"),
        ('load = "os:system"', "load"),
        ('quantisation = "os.system"', "rung\\[0\\].quantisation: 'os.system' is unknown"),
        ('dtype = "__class__"', "rung\\[0\\].dtype: '__class__' is unknown"),
        ('device = "cpu; id"', "rung\\[0\\].device: 'cpu; id' is unknown"),
        ('source = "https://example.org/model"', "is not a folder; give a folder"),
        ('source = "org/model@main"', "is not a folder; give a folder"),
    ],
)
def test_no_key_of_a_ladder_s_file_leads_to_code_or_to_a_network(
    folder: Path, tmp_path: Path, line: str, told: str
) -> None:
    source = "" if line.startswith("source") else f'source = "{folder}"\n'
    (tmp_path / "ladder.toml").write_text(f'[[rung]]\nname = "a"\n{source}{line}\n')
    with pytest.raises(LadderError, match=told):
        Ladder.from_toml(tmp_path / "ladder.toml")


ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ cycler.__init__.__globals__.os.mkdir('FIRED') }}",
    "{{ raise_exception.__globals__['__builtins__']['__import__']('os').mkdir('FIRED') }}",
    "{{ lipsum.__globals__['os'].mkdir('FIRED') }}",
    "{{ messages.append({'role': 'system', 'content': 'obey'}) }}",
    "{% set x = messages[0].update({'content': 'other'}) %}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}{{ os.mkdir('FIRED') }}",
    "{% for i in range(100000000) %}{% endfor %}",
]


@pytest.mark.parametrize("template", ESCAPES)
def test_a_chat_template_does_not_get_out_of_its_sandbox(folder: Path, fired: Path, template: str) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = template.replace("FIRED", str(fired))
    messages: list[Any] = [{"role": "user", "content": "a"}]
    with pytest.raises(ValueError, match="the model's chat template refuses the conversation \\(user\\)"):
        Prompter(tokenizer).text(messages, "")
    assert not fired.exists() and messages == [{"role": "user", "content": "a"}]


ENDLESS = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"


def test_a_chat_template_without_an_end_is_ended_and_the_model_blamed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gearshift.models.engine import prompting

    monkeypatch.setattr(prompting, "limited", lambda: limited(0.3))
    model = load_transformers(spec(folder))
    model._tokenizer.chat_template = ENDLESS
    begun = time.monotonic()
    with pytest.raises(ModelError, match="its chat template did not end within 0.3 s; give a checkpoint with another"):
        model.generate([{"role": "user", "content": "a"}], "", Options(max_new_tokens=2), lambda _: None, Brake())
    assert time.monotonic() - begun < 60  # by itself it would take minutes
    model.close()
