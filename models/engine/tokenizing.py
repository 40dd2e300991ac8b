"""Tokenizers, kept where every worker would else make the same one anew: a third of a load of small models."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

_WEIGHTS = (".safetensors", ".bin", ".gguf", ".pt", ".pth")
_MOST = 8  # of a ladder; each takes some ten MiB

_kept: dict[tuple[Any, ...], Any] = {}


def tokenizer_of(found: Mapping[str, str]) -> Any:
    """The tokenizer of what `from_pretrained` finds by these arguments: the kept one while its files are the same."""
    from transformers import AutoTokenizer

    folder = Path(found["pretrained_model_name_or_path"])
    if "gguf_file" not in found and _kept and (kept := _kept.get(_identity(folder))) is not None:
        return kept
    return AutoTokenizer.from_pretrained(**found, local_files_only=True, trust_remote_code=False)


def keep_tokenizer(folder: str) -> None:
    """Make that of a checkpoint's folder now, for processes forked from here on. No step of torch."""
    identity = _identity(Path(folder))
    if identity not in _kept:
        while len(_kept) >= _MOST:
            _kept.pop(next(iter(_kept)))
        _kept[identity] = tokenizer_of({"pretrained_model_name_or_path": folder})


def _identity(folder: Path) -> tuple[Any, ...]:
    files = sorted(file for file in folder.iterdir() if file.suffix not in _WEIGHTS) if folder.is_dir() else []
    stats = [(file.name, file.stat()) for file in files]
    return str(folder.resolve()), *((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
