"""The chat models in the local Hugging Face cache."""

import importlib.util
import logging
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ..extras import how_to_get
from ..needs.checkpoint import Checkpoint, CheckpointError, read_checkpoint, snapshot
from ..needs.free_memory import room
from ..needs.paths import expanded, hub_cache
from .ladder_checks import LIBRARIES, packages
from .quality import default_quality
from .spec import ModelSpec

log = logging.getLogger("gearshift.models")

_PREFIX = "models--"
_CAUSAL = ("ForCausalLM", "LMHeadModel")


def found_in(cache: Path) -> list[ModelSpec]:
    """As `looked_through`, without what is left out."""
    return looked_through(cache)[0]


def looked_through(cache: Path) -> tuple[list[ModelSpec], list[str]]:
    """Causal language models with a chat template, whole and of a kind that can be loaded here, the best first.

    Each runs as it is stored: on `auto` where there is an accelerator, else on the CPU, with the usual context or as
    much as the model was made for. Those of equal quality come in the order of their names. Beside them, what is
    left out and why; it is logged too, on the level `info`.
    """
    device = "auto" if set(room()) - {"ram"} else "cpu"
    ranked, left_out = [], []
    for name, folder in _repositories(cache):
        try:
            checkpoint = read_checkpoint(folder)
        except CheckpointError as error:
            left_out.append(f"{name}: {error}")
            log.info("%s is left out: %s", name, error)
            continue
        spec = ModelSpec(name=name, source=name, device=device)
        if reason := _unfit(spec, checkpoint):
            left_out.append(f"{name}: {reason}")
            log.info("%s is left out: %s", name, reason)
            continue
        # an id is looked up in the user's own cache; a snapshot elsewhere only its path leads to
        source = name if _is_usual(cache) else str(folder)
        context = min(spec.context, checkpoint.longest or spec.context)
        spec = msgspec.structs.replace(spec, source=source, context=context)
        ranked.append((-default_quality(checkpoint, spec), name, spec))
    return [spec for _, _, spec in sorted(ranked, key=lambda found: found[:2])], left_out


def _repositories(cache: Path) -> Iterator[tuple[str, Path]]:
    """Id and folder of each model."""
    if not cache.is_dir():
        return
    for entry in sorted(cache.glob(f"{_PREFIX}*")):
        folder = snapshot(entry)
        if folder is not None:
            yield entry.name.removeprefix(_PREFIX).replace("--", "/", 1), folder


def _unfit(spec: ModelSpec, checkpoint: Checkpoint) -> str | None:
    kinds = checkpoint.config.get("architectures") or []
    if not any(str(kind).endswith(_CAUSAL) for kind in kinds):
        return f"it is no causal language model ({', '.join(map(str, kinds)) or 'its config names no architecture'})"
    if not checkpoint.chat:
        return "it has no chat template"
    if checkpoint.quantised and checkpoint.quantised not in LIBRARIES:
        return f"whether its quantisation ({checkpoint.quantised}) runs here is not known; name it in a ladder file"
    missing = [package for package in packages(spec, checkpoint) if importlib.util.find_spec(package) is None]
    return f"it needs the package {missing[0]}; run: {how_to_get(missing[0])}" if missing else None


def _is_usual(cache: Path) -> bool:
    return expanded(cache).resolve() == hub_cache().resolve()
