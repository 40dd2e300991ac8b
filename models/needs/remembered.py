"""What rungs have turned out to need, kept from run to run."""

import hashlib
import logging
import threading
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from ...pipeline.samples import Whole
from ..ladders.ladder_checks import packages
from ..ladders.spec import ModelSpec
from .checkpoint import Checkpoint, checkpoint_of
from .free_memory import room
from .need import Estimate, Need, estimate
from .store import Store

log = logging.getLogger("gearshift.models")

FACTOR, LEAST = 1.2, 100_000_000
"""After memory ran out a need is taken to be so much greater: by this factor, and by at least so many bytes."""
CALM = 5
"""So many loads in a row without running out, and the addition is forgotten."""
_SAME = 0.01  # of what was measured: pages differ from load to load
_NOISE = 2 * 2**20  # bytes
_UNLIKELY = 4  # times what is reckoned with
_CREDIBLE = 0.5  # of the weights; less is no measurement of a loaded rung


class Known(msgspec.Struct, frozen=True):
    """What is kept of a rung. Bytes by pool.

    rung: what it is, for people. held: measured when its load ended, without a cache; empty before the first load.
    raised: what it needs at least, since memory ran out. calm: loads since then.
    """

    rung: dict[str, str]
    held: dict[str, Whole] = {}
    raised: dict[str, Whole] = {}
    calm: Whole = 0


class Surplus(msgspec.Struct, frozen=True):
    """Bytes by pool that the process took beyond what it is reckoned with, by the last load that shows it."""

    machine: dict[str, str]
    sizes: dict[str, Whole]


class Needs:
    """Needs by measurement where there has been one, else by estimate. Thread-safe, and safe beside other processes.

    A measurement holds for a checkpoint (its path, or its id and revision, and the sizes and times of its files), its
    dtype, quantisation, device and context, and for the versions of the libraries; any other makes it be estimated
    anew. It is kept as one small file in `folder`. A file that is damaged is told of once and made anew; a folder that
    can't be written costs a warning, and what was measured is then known to this object only.

    Args:
        folder: `needs` in gearshift's folder of the user's cache by default.
        free: bytes that models can have by pool, accelerators in order, then `ram`; asked for rungs on `auto`.
    """

    def __init__(self, folder: str | Path | None = None, *, free: Callable[[], Mapping[str, int]] = room) -> None:
        if folder is None:
            from ..ladders.ladder import CACHE

            folder = CACHE / "needs"
        self._lock = threading.Lock()
        self._store = Store(Path(folder))
        self._free = free

    def of(self, spec: ModelSpec) -> Need:
        """What it needs, as far as is known now; milliseconds. Raises CheckpointError."""
        checkpoint = checkpoint_of(spec)
        with self._lock:
            return self._need(spec, checkpoint, self._store.get(Known, _key(_identity(spec, checkpoint))))

    def estimated(self, spec: ModelSpec) -> Need:
        """What its files alone say that it needs. Raises CheckpointError."""
        return estimate(spec, room=self._room(spec)).total()

    def learn(self, spec: ModelSpec, held: Mapping[str, int]) -> Need:
        """Take in what a load has shown: what the rung held in each pool when it ended, without a cache.

        What is less than half of the weights is no measurement and is passed over, with a line in the log.
        """
        checkpoint = checkpoint_of(spec)
        identity = _identity(spec, checkpoint)
        with self._lock:
            known = self._store.get(Known, _key(identity)) or Known(identity)
            found = self._estimate(spec, checkpoint)
            if sum(held.values()) < _CREDIBLE * sum(found.weights.values()):
                log.info("%s: %d bytes held can't be a measurement of its load", spec.name, sum(held.values()))
                return self._need(spec, checkpoint, known)
            calm = known.calm + 1 if known.raised else 0
            raised = known.raised if calm < CALM else {}
            after = Known(identity, _settled(known.held, held), raised, calm if raised else 0)
            if after != known:
                self._store.put(_key(identity), after)
            self._learn_surplus(spec, checkpoint, held)
            return self._need(spec, checkpoint, after)

    def ran_out(self, spec: ModelSpec) -> Need:
        """Take in that memory ran out under it: its need is × 1.2 from now on, and at least 100 MB more.

        It is the memory of its device that ran out; with `auto`, any of it may have been. Five loads in a row after
        which memory lasted, and the addition is forgotten.
        """
        checkpoint = checkpoint_of(spec)
        identity = _identity(spec, checkpoint)
        with self._lock:
            known = self._store.get(Known, _key(identity)) or Known(identity)
            now = self._need(spec, checkpoint, known).need
            short = now if spec.device == "auto" else {spec.pool: now.get(spec.pool, 0)}
            raised = {pool: max(int(FACTOR * size), size + LEAST) for pool, size in short.items()}
            after = msgspec.structs.replace(known, raised=raised, calm=0)
            self._store.put(_key(identity), after)
            return self._need(spec, checkpoint, after)

    def _estimate(self, spec: ModelSpec, checkpoint: Checkpoint) -> Estimate:
        seen = self._store.get(Surplus, _key(_machine(spec, checkpoint)))
        return estimate(spec, room=self._room(spec), surplus=seen.sizes if seen is not None else None)

    def _room(self, spec: ModelSpec) -> Mapping[str, int] | None:
        return self._free() if spec.device == "auto" else None

    def _need(self, spec: ModelSpec, checkpoint: Checkpoint, known: Known | None) -> Need:
        found = self._estimate(spec, checkpoint)
        if known is None:
            return found.total()
        if known.held:
            # what its own load keeps a context in may come only with the first replies
            least = {pool: max(size, known.held.get(pool, 0)) for pool, size in spec.need.items()}
            found = found.measured({**known.held, **least})
        total = found.total(measured=bool(known.held))
        if not known.raised:
            return total
        need = {pool: max(size, known.raised.get(pool, 0)) for pool, size in total.need.items()}
        peak = {pool: max(size, need.get(pool, 0)) for pool, size in total.peak.items()}
        return msgspec.structs.replace(total, need=need, peak=peak)

    def _learn_surplus(self, spec: ModelSpec, checkpoint: Checkpoint, held: Mapping[str, int]) -> None:
        """What a load that keeps its weights as they are stored shows of the process holds for other rungs too."""
        if spec.device == "auto":
            return
        found, machine = estimate(spec), _machine(spec, checkpoint)
        taken = {pool: held[pool] - found.weights.get(pool, 0) for pool in found.base if pool in held}
        if not found.exact or not all(_credible(size, found.base[pool]) for pool, size in taken.items()):
            return
        sizes = {pool: size - found.base[pool] for pool, size in taken.items()}
        before = self._store.get(Surplus, _key(machine))
        if before is None or any(abs(size - before.sizes.get(pool, 0)) > _NOISE for pool, size in sizes.items()):
            self._store.put(_key(machine), Surplus(machine, sizes))


def _credible(size: int, reckoned: int) -> bool:
    """Can a process take so much for itself, where so much is reckoned with? What a wrong reading says can't."""
    return reckoned / _UNLIKELY < size < reckoned * _UNLIKELY


def _settled(before: Mapping[str, int], held: Mapping[str, int]) -> dict[str, int]:
    """What was measured before, where it is the same but for a few pages."""
    same = set(before) == set(held) and all(abs(held[pool] - before[pool]) <= _SAME * before[pool] for pool in held)
    return dict(before if same else held)


def _identity(spec: ModelSpec, checkpoint: Checkpoint) -> dict[str, str]:
    """All that a measurement holds for, in words."""
    path = checkpoint.path.resolve()
    weights = "; ".join(f"{name} {size} {mtime}" for name, size, mtime in checkpoint.weights)
    source = f"{spec.source} {path.name}" if path.parent.name == "snapshots" else str(path)
    if spec.need:
        source = f"{spec.source}, of {spec.need}"
    run = {"dtype": spec.dtype, "quantisation": spec.quantisation or "none", "context": str(spec.context)}
    return {"source": source, "weights": weights, **run, **_machine(spec, checkpoint), "device": spec.device}


def _machine(spec: ModelSpec, checkpoint: Checkpoint) -> dict[str, str]:
    """What the process takes for itself goes by: where it runs, and the versions of the libraries."""
    kind = spec.device.partition(":")[0]
    names = ("torch", "transformers", "accelerate", "safetensors", "tokenizers", *packages(spec, checkpoint))
    return {"device": kind, **{name: _version(name) for name in names}}


@cache
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _key(identity: Mapping[str, str]) -> str:
    return hashlib.sha256(msgspec.json.encode(dict(identity), order="deterministic")).hexdigest()[:32]
