"""Loads that are interrupted half-way, in a process of its own, whose heap nobody has used before.

python -m tests.models.interrupted_loads CHECKPOINT DTYPE [kept]; its exit code is 0 when each gave its memory back.
"""

import sys
from typing import Any

import pytest
from gearshift.models import ModelSpec
from gearshift.models.engine import loading
from gearshift.models.engine.loading import load_transformers
from gearshift.models.engine.memory import resident, trim
from gearshift.models.failures import LoadError
from gearshift.models.needs.need import weight_bytes


def main(source: str, dtype: str, *, kept: bool) -> None:
    spec = ModelSpec(name="large", source=source, dtype=dtype, context=512)
    load_transformers(spec).close()
    whole, held = loading.step, []

    def interrupted(model: Any, _: Any) -> None:
        held.append(sum(weight.nbytes for weight in model.parameters()))
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    loading.step = interrupted
    before, errors = 0, list[LoadError]()
    for turn in range(5):
        if turn == 1:  # the first one sets up what the others use again
            trim()
            before = resident().rss
        with pytest.raises(LoadError, match="large: RuntimeError: DefaultCPUAllocator") as caught:
            load_transformers(spec)
        assert caught.value.out_of_memory and caught.value.__cause__ is None and caught.value.__context__ is None
        errors += [caught.value] if kept else []
        del caught
    weights = weight_bytes(spec.source) // (2 if dtype == "bfloat16" else 1)
    assert min(held) >= 0.9 * weights
    grown = resident().rss - before
    assert grown < weights, f"{grown} of {weights} bytes"  # of four, with what the C heap keeps of copies
    loading.step = whole
    load_transformers(spec).close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], kept="kept" in sys.argv[3:])
