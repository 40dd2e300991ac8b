"""Proof that a load left a whole model, and the process as it was."""

import threading
from collections.abc import Collection, Iterable, Iterator
from typing import Any

_PAGE = 4096

_originals: dict[str, Any] = {}
_lock = threading.Lock()


def remember_globals() -> None:
    """Keep what loads replace for a while, as it is before the first of them."""
    with _lock:
        for name, owner in _owners().items():
            if (found := getattr(owner, name)).__qualname__ == f"{owner.__name__}.{name}":
                _originals.setdefault(name, found)


def check_globals() -> None:
    """Raises RuntimeError where a load elsewhere in the process has left, or has now, a function replaced.

    Every model made meanwhile lacks its tied weights. What was replaced is put back, so that a second try finds it so.
    """
    with _lock:
        for name, owner in _owners().items():
            if getattr(owner, name).__qualname__ == f"{owner.__name__}.{name}":
                continue
            if name in _originals:
                setattr(owner, name, _originals[name])
                remedy = "it has been put back: load again, and load other models of the app at other times"
            else:
                remedy = "restart the process, and load other models of the app at other times"
            raise RuntimeError(
                f"{owner.__name__}.{name} was left replaced by an overlapping load outside gearshift; {remedy}"
            )


def _owners() -> dict[str, Any]:
    import torch
    from transformers import PreTrainedModel

    return {"tie_weights": PreTrainedModel, "register_parameter": torch.nn.Module}


def check_whole(missing: Collection[str]) -> None:
    """Raises RuntimeError where the files lack weights: these would be random, and the model would write nonsense.

    missing: their names, by transformers' report.
    """
    if missing:
        raise RuntimeError(
            f"its files lack {len(missing)} of the weights that its config.json asks for, such as {min(missing)}; "
            "download it again"
        )


def check(model: Any) -> None:
    """No weight is missing, tied weights are one, none is left on disk, and all are in memory.

    Raises RuntimeError.
    """
    if "disk" in map(str, getattr(model, "hf_device_map", {}).values()):
        raise RuntimeError("not all of it fits in the memory of RAM and accelerators together; choose a smaller rung")
    named = [*model.named_parameters(), *model.named_buffers()]
    missing = [name for name, tensor in named if any(plain.is_meta for plain in plain_tensors([tensor]))]
    if missing:
        raise RuntimeError(f"{len(missing)} weights were not loaded, such as {missing[0]} (left on the meta device)")
    parameters = dict(model.named_parameters(remove_duplicate=False))
    for tied, source in (getattr(model, "all_tied_weights_keys", None) or {}).items():
        a, b = parameters.get(tied), parameters.get(source)
        if a is not None and b is not None and a is not b and a.device == b.device:
            raise RuntimeError(f"{tied} should be tied to {source} and has weights of its own")
    fault_in(tensor for _, tensor in named)


def fault_in(tensors: Iterable[Any]) -> None:
    """Read a byte of each page, so that the first reply needs nothing from the disk."""
    import torch

    for plain in plain_tensors(tensors):
        if plain.device.type == "cpu" and plain.numel():
            stored = torch.empty(0, dtype=torch.uint8).set_(plain.untyped_storage())
            stored[::_PAGE].sum()


def plain_tensors(tensors: Iterable[Any]) -> Iterator[Any]:
    """Quantised weights are tensors made of tensors; their parts are what lies in memory."""
    for tensor in tensors:
        data = getattr(tensor, "data", tensor)
        if hasattr(data, "__tensor_flatten__"):
            names, _ = data.__tensor_flatten__()
            yield from plain_tensors(getattr(data, name) for name in names)
        else:
            yield data


def step(model: Any, tokenizer: Any) -> None:
    """One forward step. Raises RuntimeError when its logits are not finite."""
    import torch

    token = next((t for t in (tokenizer.bos_token_id, tokenizer.eos_token_id) if t is not None), 0)
    with torch.inference_mode():
        logits = model(torch.tensor([[token]], device=model.device), use_cache=False).logits
        if not bool(torch.isfinite(logits).all()):
            raise RuntimeError(
                "its first step gave logits that are not finite; the checkpoint or its dtype is at fault"
            )
