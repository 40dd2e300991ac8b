"""What must hold for each rung, seen before anything is loaded."""

import importlib.util
import logging
import math
from collections.abc import Sequence

from ..needs.checkpoint import Checkpoint, CheckpointError, checkpoint_of
from .spec import DEVICES, DTYPES, QUANTISATIONS, LadderError, ModelSpec

log = logging.getLogger("gearshift.models")

# the package that reads checkpoints of a quantisation method
LIBRARIES = {
    "torchao": "torchao",
    "bitsandbytes": "bitsandbytes",
    "gptq": "gptqmodel",
    "awq": "gptqmodel",
    "compressed-tensors": "compressed_tensors",
    "quanto": "optimum",
    "hqq": "hqq",
}


def check_rungs(specs: Sequence[ModelSpec], where: str) -> None:
    """One error for the first thing that is wrong. Raises LadderError, with `where` it stands."""
    if not specs:
        raise LadderError(f"{where}: rung: holds no rung; add at least one [[rung]] with name and source")
    seen: set[str] = set()
    for i, spec in enumerate(specs):
        key = f"{where}: rung[{i}]"
        if not spec.name:
            raise LadderError(f"{key}.name: empty; every rung needs a name")
        if spec.name in seen:
            raise LadderError(f"{key}.name: {spec.name!r} is the name of an earlier rung too; names must differ")
        seen.add(spec.name)
        check_words(key, spec)
        if not spec.source:
            raise LadderError(f"{key}.source: empty; give a folder, a .gguf file, or the id of a model in the cache")
        if spec.need:
            _check_need(key, spec)
        try:
            checkpoint = checkpoint_of(spec)
        except CheckpointError as error:
            raise LadderError(f"{key}.source: {error}") from None
        _check_against(key, spec, checkpoint)
        if not checkpoint.chat:
            log.warning(
                "%s.source: %s has no chat template; a chat with it fails unless its tokenizer brings one",
                key,
                spec.source,
            )


def check_words(key: str, spec: ModelSpec) -> None:
    if spec.dtype not in DTYPES:
        raise LadderError(f"{key}.dtype: {spec.dtype!r} is unknown; give one of {', '.join(DTYPES)}")
    if spec.quantisation is not None and spec.quantisation not in QUANTISATIONS:
        known = ", ".join(QUANTISATIONS)
        raise LadderError(f"{key}.quantisation: {spec.quantisation!r} is unknown; give one of {known}, or leave it out")
    if not DEVICES.fullmatch(spec.device):
        raise LadderError(f"{key}.device: {spec.device!r} is unknown; give cpu, auto, mps, cuda:0 or xpu:0")
    if spec.context <= 0:
        raise LadderError(f"{key}.context: must be tokens above 0, got {spec.context}")
    if spec.quality is not None and not math.isfinite(spec.quality):
        raise LadderError(f"{key}.quality: must be a finite number, got {spec.quality!r}; or leave it out")
    if spec.latency is not None and not spec.latency > 0:
        raise LadderError(f"{key}.latency: must be seconds above 0, got {spec.latency!r}")


def _check_need(key: str, spec: ModelSpec) -> None:
    for pool, size in spec.need.items():
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise LadderError(f"{key}.need: must be bytes of at least 0, got {pool} = {size!r}")
    if spec.pool not in spec.need:
        raise LadderError(
            f"{key}.need: has no bytes for {spec.pool}, where device = {spec.device!r} keeps it, got {spec.need!r}"
        )
    if spec.quality is None:
        raise LadderError(f"{key}.quality: with `need` no file tells it; give a number, more for better")


def _check_against(key: str, spec: ModelSpec, checkpoint: Checkpoint) -> None:
    longest = checkpoint.longest
    if longest is not None and spec.context > longest:
        raise LadderError(
            f"{key}.context: {spec.context} tokens are more than the model's {longest}; give at most that"
        )
    if spec.quantisation is not None and (checkpoint.gguf or checkpoint.quantised):
        kind = "a GGUF file" if checkpoint.gguf else f"quantised by {checkpoint.quantised} already"
        raise LadderError(
            f"{key}.quantisation: {spec.source} is {kind}; leave out quantisation = {spec.quantisation!r}"
        )
    for package in packages(spec, checkpoint):
        if importlib.util.find_spec(package) is None:
            raise LadderError(f"{key}.source: {spec.source} needs the package {package}; run: pip install {package}")


def packages(spec: ModelSpec, checkpoint: Checkpoint) -> list[str]:
    """What must be installed to load it, beside transformers and torch."""
    if checkpoint.gguf:
        return ["gguf"]
    method = spec.quantisation.split("-")[0] if spec.quantisation else checkpoint.quantised
    return [LIBRARIES[method]] if method in LIBRARIES else []
