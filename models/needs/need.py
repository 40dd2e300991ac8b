"""Memory that a rung will take, from its files alone: weights, the cache of its context, working space, the process."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from ..ladders.spec import ModelSpec
from .checkpoint import DTYPE_BYTES, Checkpoint, read_checkpoint
from .kv_cache import cache_layers, growth
from .placing import DISK, RAM, placed, shared_out
from .weights import LAYER, Loaded, loaded_tensors, run_dtype

MIB = 2**20
PREFILL_CHUNK = 256
"""Tokens of a prompt that are read at a time."""

# What a worker forked with torch and transformers imported takes for itself by the end of its first step: pages that
# it writes to, modules of the architecture, kernels. tests/benchmarks/needs.py measures it: torch 2.13 on the CPU,
# transformers 5.23, glibc.
PROCESS = 35 * MIB
TORCHAO = 10 * MIB
TOKENIZER = 8
"""Bytes in memory for each byte of tokenizer.json; the same measurement."""
FIRST_REPLY = 8 * MIB
"""What the first reply adds for good: template engine, generation's modules; the same measurement."""
# An assumption: the context of CUDA and its kernels. The first load on a card replaces it by what was measured.
ACCELERATOR = 512 * MIB


class Need(msgspec.Struct, frozen=True):
    """What a rung takes, in bytes.

    need: by pool, all in, with the cache of a full context. peak: by pool, the most that its load takes. per_token:
    by pool, what a token beyond its context takes. measured: it rests on a load. parts: weights, cache, working
    (space for a step), base (the process), over all pools.
    """

    need: dict[str, int]
    peak: dict[str, int]
    per_token: dict[str, int] = {}
    measured: bool = False
    parts: dict[str, int] = {}


class Estimate(msgspec.Struct, frozen=True):
    """What goes where, in bytes by pool. passing: what a load takes beside that and gives back. exact: the weights
    are kept as they are stored. unplaced: weights for which there is no memory."""

    weights: dict[str, int]
    cache: dict[str, int]
    working: dict[str, int]
    base: dict[str, int]
    passing: dict[str, int]
    per_token: dict[str, int]
    exact: bool
    unplaced: int = 0

    def measured(self, held: Mapping[str, int]) -> "Estimate":
        """With what was held at the end of a load in the place of weights and process; the weights as they were."""
        pools = {*held, *self.weights}
        base = {pool: held.get(pool, 0) - self.weights.get(pool, 0) for pool in pools}
        return msgspec.structs.replace(self, base=base)

    def total(self, *, measured: bool = False) -> Need:
        """As a need; `measured` where it rests on a load."""
        need = _sum(self.weights, self.cache, self.working, self.base)
        loading = _sum(self.weights, self.base, self.passing)
        peak = {pool: max(loading.get(pool, 0), size) for pool, size in need.items()}
        named = {"weights": self.weights, "cache": self.cache, "working": self.working, "base": self.base}
        parts = {name: sum(sizes.values()) for name, sizes in named.items()}
        return Need(need, peak, self.per_token, measured, parts)


def weight_bytes(source: str | Path) -> int:
    """Bytes of a checkpoint's weights as a load without a cast keeps them. Raises CheckpointError."""
    found = loaded_tensors(read_checkpoint(source), ModelSpec(name="", source=str(source)))
    return sum(tensor.size for tensor in found.values())


def estimate(
    spec: ModelSpec, *, room: Mapping[str, int] | None = None, surplus: Mapping[str, int] | None = None
) -> Estimate:
    """What a rung would take, from the headers of its files, or as it says itself. Raises CheckpointError.

    Args:
        room: for `device="auto"`, bytes that models can have in each pool, accelerators in order, then `ram`.
        surplus: bytes by pool that processes here have taken for themselves beyond what they are reckoned with.
    """
    if spec.need:
        return Estimate(dict(spec.need), {}, {}, {}, {}, {}, exact=False)
    checkpoint = read_checkpoint(spec.source)
    tensors = loaded_tensors(checkpoint, spec)
    where = _places(spec, tensors, room or {})
    pools = set(where.values()) - {DISK} or {spec.pool}
    element = DTYPE_BYTES[run_dtype(checkpoint, spec)]
    layers = cache_layers(checkpoint.config, element)
    homes = _homes(where, spec.pool, len(layers))
    space = working_space(checkpoint, spec, element)
    base = {p: max(0, size + (surplus or {}).get(p, 0)) for p, size in process_base(checkpoint, spec, pools).items()}
    return Estimate(
        weights=_weights(checkpoint, tensors, where),
        cache=_by_pool(homes, [layer.bytes(spec.context) for layer in layers]),
        working={**dict.fromkeys(pools, space), RAM: FIRST_REPLY + (space if RAM in pools else 0)},
        base=base,
        passing=_passing(checkpoint, tensors, where),
        per_token=_by_pool(homes, [growth([layer], spec.context) for layer in layers]),
        exact=not any(tensor.copied for tensor in tensors.values()),
        unplaced=sum(tensor.size for name, tensor in tensors.items() if where[name] == DISK),
    )


def process_base(checkpoint: Checkpoint, spec: ModelSpec, pools: set[str]) -> dict[str, int]:
    """Bytes by pool that a process takes for itself, once it can run this rung."""
    torchao = TORCHAO if "torchao" in (spec.quantisation or checkpoint.quantised or "") else 0
    ram = PROCESS + torchao + TOKENIZER * checkpoint.tokenizer
    return {RAM: ram, **{pool: ACCELERATOR for pool in pools if pool not in (RAM, "mps")}}


def working_space(checkpoint: Checkpoint, spec: ModelSpec, element: int) -> int:
    """The activations of a piece of a prompt in one layer, and the logits of one token in float32, thrice."""
    config = checkpoint.config
    hidden = int(config.get("hidden_size") or config.get("n_embd") or 0)
    inner = config.get("intermediate_size") or config.get("n_inner") or 4 * hidden
    inner = int(max(inner) if isinstance(inner, list) else inner)  # where layers differ in it, the widest counts
    tokens = min(spec.context, PREFILL_CHUNK)
    return tokens * (3 * inner + 6 * hidden) * element + 3 * 4 * int(config.get("vocab_size") or 0)


def _places(spec: ModelSpec, tensors: Mapping[str, Loaded], room: Mapping[str, int]) -> dict[str, str]:
    if spec.device != "auto" or not set(room) - {RAM}:
        return dict.fromkeys(tensors, spec.pool)
    sizes = {name: tensor.size for name, tensor in tensors.items()}
    return placed(sizes, shared_out(sizes, room))


def _weights(checkpoint: Checkpoint, tensors: Mapping[str, Loaded], where: Mapping[str, str]) -> dict[str, int]:
    """A file is mapped as a whole: while one of its tensors is used in place, all that was read of it stays."""
    found: dict[str, int] = {}
    for name, tensor in tensors.items():
        found[where[name]] = found.get(where[name], 0) + tensor.size
    in_ram = [name for name in tensors if where[name] == RAM]
    mapped = {checkpoint.tensors[name].file for name in in_ram if not tensors[name].copied}
    left = sum(
        checkpoint.tensors[name].stored
        for name in in_ram
        if tensors[name].copied and checkpoint.tensors[name].file in mapped
    )
    if left:
        found[RAM] += left
    found.pop(DISK, None)
    return found


def _passing(checkpoint: Checkpoint, tensors: Mapping[str, Loaded], where: Mapping[str, str]) -> dict[str, int]:
    """The pages of files that a cast reads stay until the load ends."""
    in_ram = [name for name in tensors if where[name] == RAM]
    mapped = {checkpoint.tensors[name].file for name in in_ram if not tensors[name].copied}
    copied = [checkpoint.tensors[name] for name in in_ram if tensors[name].copied]
    return {RAM: sum(tensor.stored for tensor in copied if tensor.file not in mapped)}


def _homes(where: Mapping[str, str], usual: str, layers: int) -> list[str]:
    """The pool of each layer, which is where its cache is."""
    found = dict.fromkeys(range(layers), usual)
    for name, pool in where.items():
        layer = LAYER.search(name)
        if layer is not None and int(layer[2]) in found and pool != DISK:
            found[int(layer[2])] = pool
    return [found[i] for i in range(layers)]


def _by_pool(homes: list[str], sizes: list[int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for pool, size in zip(homes, sizes, strict=True):
        if size:
            found[pool] = found.get(pool, 0) + size
    return found


def _sum(*parts: Mapping[str, int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in parts:
        for pool, size in part.items():
            found[pool] = found.get(pool, 0) + size
    return found
