"""What transformers is told to do to the weights of a rung at its load."""

import importlib.util
from collections.abc import Callable
from typing import Any

from ..extras import how_to_get
from ..failures import LoadError


def quantisation_config(name: str | None) -> Any:
    """transformers' config for a rung's `quantisation`; None for none.

    Raises LoadError for a name that is unknown, and for one whose package is missing.
    """
    if name is None:
        return None
    if name not in _KINDS:
        raise LoadError(f"quantisation: {name!r} is unknown; give one of {', '.join(_KINDS)}, or none")
    package, make = _KINDS[name]
    if importlib.util.find_spec(package) is None:
        raise LoadError(f"quantisation: {name} needs the package {package}; run: {how_to_get(package)}")
    return make()


def _torchao_int8() -> Any:
    from torchao.quantization import Int8WeightOnlyConfig
    from transformers import TorchAoConfig

    return TorchAoConfig(Int8WeightOnlyConfig())


def _torchao_int4() -> Any:
    from torchao.quantization import Int4WeightOnlyConfig
    from transformers import TorchAoConfig

    return TorchAoConfig(Int4WeightOnlyConfig())


def _bitsandbytes(bits: int) -> Any:
    import torch
    from transformers import BitsAndBytesConfig

    if bits == 8:
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_compute_dtype=torch.bfloat16)


_KINDS: dict[str, tuple[str, Callable[[], Any]]] = {
    "torchao-int8": ("torchao", _torchao_int8),
    "torchao-int4": ("torchao", _torchao_int4),
    "bitsandbytes-8bit": ("bitsandbytes", lambda: _bitsandbytes(8)),
    "bitsandbytes-4bit": ("bitsandbytes", lambda: _bitsandbytes(4)),
}
