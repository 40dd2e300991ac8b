"""The only file that calls `from_pretrained`: one load at a time, checked, and proved by a step."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from ..extras import how_to_get
from ..failures import Doubts, LoadError, told
from ..ladders.ladder import ModelSpec
from ..needs.paths import expanded
from ..needs.weight_files import OWN_CODE, check_folder
from .generating import TransformersModel
from .loading_checks import check, check_globals, check_whole, remember_globals, step
from .memory import pressed, trim
from .quantising import quantisation_config
from .tokenizing import tokenizer_of

# Two overlapping loads leave transformers' `tie_weights` a no-op for the rest of the process: one at a time, always.
_LOAD_LOCK = threading.Lock()
_DOUBTS = Doubts()

# Bytes that must be free beside the weights for them to be asked for in one piece: what the device rounds up to, and
# the libraries' own workspaces, come on top.
_WARMUP_MARGIN = 1 << 30


def prepare() -> None:
    """Import torch and transformers, without the quantisation libraries (a rung that needs one brings it along)."""
    with _LOAD_LOCK:
        _prepare()


def _prepare() -> None:
    import accelerate  # noqa: F401
    import torch  # noqa: F401
    from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, TextStreamer  # noqa: F401

    remember_globals()


def warm_up() -> None:
    """A few multiplications, so that what PyTorch sets up at the first is not taken for a rung's. It starts threads."""
    import torch

    with torch.inference_mode():
        for dtype in (torch.float32, torch.bfloat16):
            torch.nn.Linear(64, 64, dtype=dtype)(torch.ones(1, 64, dtype=dtype))


def load_transformers(spec: ModelSpec) -> TransformersModel:
    """Load a rung with its weights in memory, and prove by one forward step that it works.

    Raises LoadError, once what the load took is given back; it keeps no part of the error that it tells of.
    """
    with _LOAD_LOCK:
        try:
            _prepare()
            model = _load(spec)
        except LoadError as error:
            reason, memory = str(error), error.out_of_memory
        except Exception as error:  # noqa: BLE001 - a broken checkpoint can raise anything; the reason is kept as text
            reason, memory = told(error), _DOUBTS.out_of_memory(error, spec.name, pressed=pressed())
        else:
            _DOUBTS.settle(spec.name)
            return model
        trim()
    raise LoadError(f"{spec.name}: {reason}", out_of_memory=memory)


def _load(spec: ModelSpec) -> TransformersModel:
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    check_globals()
    found = _located(spec)
    _check_device(spec.device)
    quantised = quantisation_config(spec.quantisation)
    if "gguf_file" not in found:
        check_folder(Path(found["pretrained_model_name_or_path"]))
    with _without_code(spec), _sparing_warmup():
        tokenizer = tokenizer_of(found)
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            **found,
            output_loading_info=True,
            dtype=_dtype(spec.dtype),
            device_map=_device_map(spec, quantised=quantised is not None),
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            **({"quantization_config": quantised} if quantised is not None else {}),
        )
    model, report = loaded
    model.eval()
    check_globals()
    check_whole(report["missing_keys"])
    check(model)
    step(model, tokenizer)
    return TransformersModel(spec, model, tokenizer)


def folder_of(spec: ModelSpec) -> str | None:
    """The folder of its tokenizer's files; None where these are inside of a GGUF file. Raises LoadError."""
    found = _located(spec)
    return None if "gguf_file" in found else str(Path(found["pretrained_model_name_or_path"]).resolve())


def _located(spec: ModelSpec) -> dict[str, str]:
    """Where transformers finds it. Raises LoadError with what to do when it isn't there."""
    import importlib.util

    path = expanded(spec.source)
    if path.suffix == ".gguf":
        if not path.is_file():
            raise LoadError(f"source: the GGUF file {path} is not there; correct the rung's `source`")
        if importlib.util.find_spec("gguf") is None:
            raise LoadError(f"source: {path} needs the package gguf; run: {how_to_get('gguf')}")
        return {"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name}
    if path.is_dir():
        return {"pretrained_model_name_or_path": str(path)}
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = snapshot_download(spec.source, local_files_only=True)
    except HFValidationError:
        reason = "is neither a folder nor the id of a model; correct the rung's `source`"
    except LocalEntryNotFoundError:
        reason = f"is not in the local Hugging Face cache; run: hf download {spec.source}"
    else:
        return {"pretrained_model_name_or_path": folder}
    raise LoadError(f"source: {spec.source!r} {reason}")


def _dtype(name: str) -> Any:
    """The dtype of that name; `auto` is the one it is stored in, which needs no cast and so no second copy."""
    import torch

    if name == "auto":
        return name
    dtype = getattr(torch, name, None)
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise LoadError(f"dtype: {name!r} is no floating-point dtype of torch; give auto, float32, bfloat16 or float16")
    return dtype


def _check_device(device: str) -> None:
    import torch

    kind, _, index = device.partition(":")
    if kind in ("cpu", "auto"):
        return
    if kind == "mps":
        there = torch.backends.mps.is_available()
    elif kind in ("cuda", "xpu") and (not index or index.isdigit()):
        module = getattr(torch, kind)
        there = module.is_available() and int(index or 0) < module.device_count()
    else:
        raise LoadError(f"device: {device!r} is unknown; give cpu, auto, mps, or cuda:0 and so on")
    if not there:
        raise LoadError(
            f"device: this machine has no {device} that torch {torch.__version__} can use; give cpu or auto"
        )


def _device_map(spec: ModelSpec, *, quantised: bool) -> Any:
    """None on the CPU, where files are mapped and not copied; the quantisers would take that for any device."""
    if spec.device == "auto":
        return "auto"
    return None if spec.device == "cpu" and not quantised else {"": spec.device}


@contextmanager
def _without_code(spec: ModelSpec) -> Iterator[None]:
    """A checkpoint that can't be loaded without Python of its own is told of in words that say what to do."""
    try:
        yield
    except ValueError as error:
        if "trust_remote_code" not in str(error):
            raise
        reason = f"source: {spec.source} brings Python code of its own, and none is run from a checkpoint"
    else:
        return
    raise LoadError(f"{reason}; give a model that transformers knows, {OWN_CODE}")


@contextmanager
def _sparing_warmup() -> Iterator[None]:
    """Keep transformers from asking a device for all of a model's bytes in one piece where little more is free.

    Under the load lock only: it replaces a function of the module.
    """
    from transformers import modeling_utils

    original: Any = getattr(modeling_utils, "caching_allocator_warmup", None)
    count: Any = getattr(modeling_utils, "get_total_byte_count", None)
    if original is None or count is None:  # a version without it
        yield
        return

    def warm_up(model: Any, device_map: dict[str, Any], quantizer: Any) -> None:
        if fits_in_one_piece(_device_bytes(count, model, device_map, quantizer)):
            original(model, device_map, quantizer)

    with ExitStack() as after:
        modeling_utils.caching_allocator_warmup = warm_up
        after.callback(setattr, modeling_utils, "caching_allocator_warmup", original)
        yield


def _device_bytes(count: Any, model: Any, device_map: dict[str, Any], quantizer: Any) -> list[tuple[int, int]]:
    """Bytes to load and bytes free, for each accelerator that the map names."""
    import torch

    mapped = {
        name: torch.device(device) for name, device in device_map.items() if device not in ("cpu", "disk", "meta")
    }
    mapped = {name: device for name, device in mapped.items() if device.type in ("cuda", "xpu")}
    if not mapped:
        return []
    return [
        (int(size), getattr(torch, device.type).mem_get_info(device)[0])
        for device, size in count(model, mapped, quantizer).items()
    ]


def fits_in_one_piece(devices: list[tuple[int, int]]) -> bool:
    """Is there more free on each device than what it gets, by a margin? `devices`: (bytes to load, bytes free).

    >>> fits_in_one_piece([(7 << 30, 24 << 30)]), fits_in_one_piece([(23 << 30, 24 << 30)])
    (True, False)
    """
    return all(size + _WARMUP_MARGIN < free for size, free in devices)


def load_gguf(path: Path) -> tuple[Any, Any]:
    """Model in float32 and tokenizer of a GGUF file, dequantised by transformers (needs the package `gguf`)."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with _LOAD_LOCK, _gguf_read_once():
        model = AutoModelForCausalLM.from_pretrained(
            path.parent, gguf_file=path.name, dtype=torch.float32, trust_remote_code=False
        )
        return model, AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name, trust_remote_code=False)


@contextmanager
def _gguf_read_once() -> Iterator[None]:
    """transformers parses the file for the config, the weights and the tokenizer each, and makes the same table of
    names for every module: half of the time that a load takes."""
    try:
        import gguf
    except ImportError:  # transformers says so in its own words
        yield
        return
    names = ("GGUFReader", "get_tensor_name_map")
    own = {name: getattr(gguf, name) for name in names}
    for name in names:
        setattr(gguf, name, cache(own[name]))
    try:
        yield
    finally:
        for name in names:
            setattr(gguf, name, own[name])


def load_int8(path: Path) -> Any:
    """A checkpoint with its linear weights quantised to int8 by torchao, ready to be saved."""
    from transformers import AutoModelForCausalLM

    with _LOAD_LOCK:
        config = quantisation_config("torchao-int8")
        return AutoModelForCausalLM.from_pretrained(
            path, dtype="auto", quantization_config=config, trust_remote_code=False, use_safetensors=True
        )
