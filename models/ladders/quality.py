"""How good a checkpoint is likely to be, by size and precision, where nobody says."""

import math

from ..needs.checkpoint import Checkpoint
from ..needs.weights import loaded_tensors, parameters
from .spec import ModelSpec

_A, _ALPHA = 406.4, 0.34
_GAMMA = 2.67


def quality_of(count: float, bits: float) -> float:
    """0..1: the perplexity of an ideally large model, divided by that of one of `count` weights of `bits` each.

    Grows with both. The loss above the least possible one is A ÷ N^α nats (Hoffmann et al. 2022, "Training
    Compute-Optimal Large Language Models", with their A and α), where N counts what precision leaves of the weights:
    N = count × (1 − e^(−bits ÷ γ)), the form of Kumar et al. 2024, "Scaling Laws for Precision". With γ = 2.67 that is
    within 0.02 of the perplexities at 5 to 8 bits of Llama 3 8B (ggml-org/llama.cpp, pull request 6936).

    It ranks sizes and precisions of models alike in kind; of how well each was trained it knows nothing.

    >>> [round(quality_of(count, 16), 2) for count in (135e6, 1e9, 8e9, 70e9)]
    [0.5, 0.7, 0.84, 0.92]
    >>> quality_of(8e9, 16) > quality_of(8e9, 4.5) > quality_of(3e9, 16)
    True
    """
    if count <= 0 or bits <= 0:
        return 0.0
    effective = count * -math.expm1(-bits / _GAMMA)
    return math.exp(-_A / effective**_ALPHA)


def default_quality(checkpoint: Checkpoint, spec: ModelSpec) -> float:
    """As `quality_of`; a cast to a wider dtype adds nothing to what was stored."""
    count = parameters(checkpoint)
    kept = loaded_tensors(checkpoint, spec)
    size = sum(min(tensor.size, checkpoint.tensors[name].stored) for name, tensor in kept.items())
    return quality_of(count, 8 * size / count if count else 0)
