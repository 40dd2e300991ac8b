"""NVIDIA GPUs by NVML: memory of ours and of others, and the device beside it."""

import logging
import os
import threading
import time
from collections.abc import Callable, Collection
from typing import Any

from ...operators.retry import Backoff
from ..samples import Device, Pool, Reading
from .loaded_torch import loaded, reserved
from .nvml_faults import NO_DRIVER, code_of
from .nvml_gpu import Gpu
from .nvml_visible import cards, visible

log = logging.getLogger("gearshift.pipeline")


def this_process() -> Collection[int]:
    """The process id of this process alone."""
    return (os.getpid(),)


def _library() -> Any:
    try:
        import pynvml
    except ImportError:
        return None
    return pynvml


class _Slot:
    """A device that keeps its name whatever happens to it.

    key: what it is recognised by. gpu: None while it is lost. has_memory: False where the memory is the host's, None
    until it is known. lists: of processes, that it has given. ailing: it can't be read, and that has been logged.
    """

    __slots__ = ("ailing", "gpu", "has_memory", "key", "lists", "name")

    def __init__(self, name: str, key: str) -> None:
        self.name, self.key = name, key
        self.gpu: Gpu | None = None
        self.has_memory: bool | None = None
        self.lists: set[str] = set()
        self.ailing = False


class NvmlProbe:
    """A pool and a device `cuda:N` for each GPU or MIG instance that CUDA lets this process see, named as torch does.

    A pool's `used` is total − free, so that what the driver reserves counts. Its `own` is what our processes hold by
    NVML's lists; for this process, where it isn't listed (containers, WSL), what torch's allocator holds there, if
    torch is loaded and in use. Other processes that NVML can't see count as external. A container's NVML may list the
    host's process ids, of which one can equal one of ours by chance. Where a list that was given before isn't to be
    had, the device is unknown: what is ours would count as others'.

    Where the GPU's memory is the host's (DGX Spark, Jetson), NVML tells none: there is a device but no pool, and the
    pool `ram` holds the models. A field that a device doesn't offer is missing and is not asked again.

    A device that is lost has the pool None and is named in `missing`; the others are read on. NVML is then shut down
    and initialised again, after 1 s and twice as long each time, at most a minute, and the device comes back under the
    same name. A device is recognised by its UUID; one that wasn't there at the start gets no name. A library that can't
    start for another reason than that there is no driver is named `nvml` in `missing` and is tried again likewise.
    Without a driver, at the start, there is nothing, for good.

    `read` raises only what `pids` raises. Thread-safe. Other users of NVML in the process keep it initialised through
    our shutdown (it counts its users), and then a lost GPU may stay lost until they let go.

    Args:
        nvml: a module like pynvml, by default pynvml itself, imported here.
        pids: process ids that count as our own.
        clock: seconds, for the waits between attempts.
        torch: gives the module torch, or None; must not import it.
        mig_instances: how many MIG instances CUDA opens in one process; None for all.

    Source: NVML API reference; order and CUDA_VISIBLE_DEVICES as in `visible`.
    """

    name = "nvml"

    def __init__(
        self,
        nvml: Any = None,
        *,
        pids: Callable[[], Collection[int]] = this_process,
        clock: Callable[[], float] = time.monotonic,
        torch: Callable[[], Any] = loaded,
        mig_instances: int | None = 1,
    ) -> None:
        self._nvml: Any = _library() if nvml is None else nvml
        self._pids, self._clock, self._torch, self._mig = pids, clock, torch, mig_instances
        self._slots: list[_Slot] | None = None
        self._running = self._recovering = self._told = False
        self._again: float | None = None
        self._backoff = Backoff(initial=1.0, cap=60.0, jitter=0)
        self._lock = threading.Lock()
        if self._nvml is not None:
            self._start()

    @property
    def pools(self) -> tuple[str, ...]:
        return tuple(slot.name for slot in self._slots or () if slot.has_memory is not False)

    def read(self) -> Reading:
        with self._lock:
            if self._again is not None and self._clock() >= self._again:
                self._stop()
                self._start()
            if self._nvml is None:
                return Reading()
            if self._slots is None:
                return Reading(missing=(self.name,))
            return self._read(self._slots)

    def close(self) -> None:
        """Shut NVML down; readings are empty from then on. Can be called again."""
        with self._lock:
            self._stop()
            self._nvml, self._slots, self._again = None, None, None

    def _read(self, slots: list[_Slot]) -> Reading:
        pids = frozenset(self._pids()) if slots else frozenset()
        pools: dict[str, Pool | None] = {}
        devices: dict[str, Device] = {}
        missing: list[str] = []
        for index, slot in enumerate(slots):
            pool, device = self._look(index, slot, pids)
            if slot.has_memory is not False:
                pools[slot.name] = pool
            if device is not None:
                devices[slot.name] = device
            if slot.ailing:
                missing.append(slot.name)
        if self._recovering and not missing:
            self._recovering = False
            self._backoff.reset()
        return Reading(pools=pools, devices=devices, missing=tuple(missing))

    def _look(self, index: int, slot: _Slot, pids: frozenset[int]) -> tuple[Pool | None, Device | None]:
        gpu = slot.gpu
        if gpu is None:
            return None, None
        try:
            memory, device = gpu.read()
            if memory is None and slot.has_memory and not gpu.memory.offered:
                raise gpu.memory.error or RuntimeError("its memory is no longer told")
            pool = None if memory is None else Pool(memory.total, memory.used, self._own(slot, gpu, index, pids))
        except Exception as error:  # noqa: BLE001 - whatever a driver raises, the other devices still count
            self._lose(slot, error)
            return None, None
        if memory is None and gpu.memory.offered:
            self._warn(slot, gpu.memory.error)
            return None, device
        slot.has_memory = memory is not None
        if slot.ailing:
            slot.ailing = False
            log.info("%s is read again", slot.name)
        return pool, device

    def _own(self, slot: _Slot, gpu: Gpu, index: int, pids: frozenset[int]) -> int:
        held = gpu.held(pids, slot.lists) if pids else {}
        here = os.getpid()
        unlisted = reserved(self._torch(), "cuda", index) if here in pids and here not in held else 0
        return sum(held.values()) + unlisted

    def _start(self) -> None:
        try:
            self._nvml.nvmlInit()
            self._running = True
            found = cards(self._nvml)
        except Exception as error:  # noqa: BLE001 - a library that doesn't load raises what it likes
            self._stop()
            if self._slots is None and code_of(error) in NO_DRIVER:
                self._nvml = self._again = None
                return
            for slot in self._slots or ():
                slot.gpu, slot.ailing = None, True
            if not self._told:
                log.warning("NVML can't be started: %s; GPUs are unknown until it can", error)
            self._told = True
            self._retry()
            return
        self._again, self._told = None, False
        if self._slots is None:
            chosen = visible(os.environ.get("CUDA_VISIBLE_DEVICES"), found, instances=self._mig)
            self._slots = [_Slot(f"cuda:{number}", card.key) for number, card in enumerate(chosen)]
        every = [part for card in found for part in (card, *(card.instances or ()))]
        present = {name: card for card in every for name in (card.place, *card.names)}
        for slot in self._slots:
            card = present.get(slot.key)
            slot.gpu = None if card is None or card.handle is None else Gpu(self._nvml, card)
            if slot.gpu is None:
                self._lose(slot, card.error if card is not None else None)

    def _stop(self) -> None:
        if self._running:
            try:
                self._nvml.nvmlShutdown()
            except Exception as error:  # noqa: BLE001 - it may be down already; that is what was wanted
                log.debug("NVML did not shut down: %s", error)
        self._running = False

    def _lose(self, slot: _Slot, error: Exception | None) -> None:
        slot.gpu = None
        self._warn(slot, error)
        if self._again is None:
            self._retry()

    def _retry(self) -> None:
        self._recovering = True
        self._again = self._clock() + (self._backoff.delay() or 0.0)

    def _warn(self, slot: _Slot, error: Exception | None) -> None:
        if not slot.ailing:
            log.warning("%s can't be read: %s; unknown until it can", slot.name, error or "it is not there")
        slot.ailing = True
