"""Ladders of real rungs, large enough that their sizes matter and small enough to load in a second."""

from pathlib import Path

from tests.models.checkpoints import make_checkpoint

SIZES = {"large": 1280, "medium": 896, "small": 384}


def ladders(folder: Path) -> tuple[Path, Path]:
    """Two ladder files: rungs whose weights are memory of their own, as after every cast, quantisation or GGUF, and
    rungs whose weights are mapped from their files."""
    for name, hidden in SIZES.items():
        _half(make_checkpoint(folder / "mapped" / name, hidden), folder / "own" / name)
    return _ladder(folder / "own", 'dtype = "float32"'), _ladder(folder / "mapped", "")


def _half(made: Path, folder: Path) -> None:
    """The same in bfloat16: run in float32, its weights are no pages of a file."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    AutoModelForCausalLM.from_pretrained(made, dtype=torch.bfloat16).save_pretrained(folder)
    AutoTokenizer.from_pretrained(made).save_pretrained(folder)


def _ladder(folder: Path, more: str) -> Path:
    file = folder / "ladder.toml"
    file.write_text(
        "\n".join(f'[[rung]]\nname = "{n}"\nsource = "{folder / n}"\ncontext = 512\n{more}\n' for n in SIZES)
    )
    return file
