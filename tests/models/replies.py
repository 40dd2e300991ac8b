"""Replies of tiny real models, and their checkpoints with some fields changed."""

import json
from pathlib import Path
from typing import Any

from gearshift.models import ModelSpec, Options
from gearshift.models.engine.generating import TransformersModel
from gearshift.models.engine.loading import load_transformers
from gearshift.models.replies.generation import Brake, Written

QUESTION = [{"role": "user", "content": "Hello"}]


def reply(model: TransformersModel, partial: str = "", brake: Brake | None = None, **given: Any) -> tuple[str, Written]:
    pieces: list[str] = []
    messages = given.pop("messages", QUESTION)
    options = Options(**{"max_new_tokens": 40, **given})
    written = model.generate(messages, partial, options, pieces.append, brake or Brake())
    return "".join(pieces), written


def copied(source: Path, target: Path, **changes: Any) -> Path:
    """A copy of a checkpoint, with fields of its JSON files changed: file (without .json) -> fields, None drops one."""
    target.mkdir(exist_ok=True)
    for file in source.iterdir():
        if not (file.suffix == ".jinja" and changes.get("template") == ""):
            (target / file.name).write_bytes(file.read_bytes())
    if changes.get("template"):
        (target / "chat_template.jinja").write_text(changes["template"])
    for name in ("config", "generation_config", "tokenizer_config"):
        content = json.loads((target / f"{name}.json").read_text())
        content = {k: v for k, v in {**content, **changes.get(name, {})}.items() if v is not None}
        (target / f"{name}.json").write_text(json.dumps(content))
    return target


def load(folder: Path, context: int = 512) -> TransformersModel:
    return load_transformers(ModelSpec(name=folder.name, source=str(folder), context=context))
