"""A kept tokenizer is that of the files as they are."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from gearshift.models.engine import tokenizing
from gearshift.models.engine.tokenizing import keep_tokenizer, tokenizer_of


@pytest.fixture
def folder(tmp_path: Path, checkpoints: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(tokenizing, "_kept", {})
    yield Path(shutil.copytree(checkpoints["small"], tmp_path / "small"))


def found(folder: Path) -> dict[str, str]:
    return {"pretrained_model_name_or_path": str(folder)}


def test_it_is_made_once_and_given_from_then_on(folder: Path) -> None:
    assert tokenizer_of(found(folder)) is not tokenizer_of(found(folder))
    keep_tokenizer(str(folder))
    kept = tokenizer_of(found(folder))
    assert kept is tokenizer_of(found(folder))
    keep_tokenizer(str(folder))
    assert tokenizer_of(found(folder)) is kept


def test_files_that_have_changed_give_another(folder: Path) -> None:
    keep_tokenizer(str(folder))
    config = folder / "tokenizer_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "model_max_length": 77}))
    assert tokenizer_of(found(folder)).model_max_length == 77


def test_weights_that_have_changed_do_not(folder: Path) -> None:
    keep_tokenizer(str(folder))
    kept = tokenizer_of(found(folder))
    (folder / "model.safetensors").touch()
    assert tokenizer_of(found(folder)) is kept


def test_the_oldest_gives_way(folder: Path, tmp_path: Path) -> None:
    keep_tokenizer(str(folder))
    first = tokenizer_of(found(folder))
    for i in range(8):
        keep_tokenizer(str(shutil.copytree(folder, tmp_path / f"copy{i}")))
    assert tokenizer_of(found(folder)) is not first
