"""Probes to a live stream of samples. The one place of this floor that reads a clock and owns a thread."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import reactivex
from reactivex import Observable, abc
from reactivex.disposable import Disposable

from .probes import Probe
from .probes.load import CpuProbe, PressureProbe, SwapProbe
from .probes.nvml import NvmlProbe
from .probes.ram import Own, RamProbe
from .samples import Pool, Sample

log = logging.getLogger("gearshift.pipeline")


def default_probes(*, budget: int | None = None, own: Callable[[], Own] = Own) -> list[Probe]:
    """All that this machine can tell. Args: budget in bytes for this process tree; own: what our models hold."""
    return [RamProbe(budget=budget, own=own), CpuProbe(), SwapProbe(), PressureProbe(), NvmlProbe()]


class Sampler:
    """Reads all probes into one Sample. A probe that raises is named in `missing`, and logged at its first failure."""

    def __init__(self, probes: Sequence[Probe]) -> None:
        self._probes = probes
        self._failing: set[str] = set()

    def take(self) -> Sample:
        pools: dict[str, Pool | None] = {}
        fields: dict[str, Any] = {"devices": {}, "pressure": {}}
        missing = []
        for probe in self._probes:
            try:
                reading = probe.read()
            except Exception as error:  # noqa: BLE001 - whatever a driver raises, the others still count
                missing.append(probe.name)
                pools.update(dict.fromkeys(probe.pools))
                if probe.name not in self._failing:
                    log.warning("probe %s failed: %s; its readings are missing until it recovers", probe.name, error)
                self._failing.add(probe.name)
                continue
            self._failing.discard(probe.name)
            pools.update(reading.pools)
            for name in ("devices", "pressure"):
                fields[name].update(getattr(reading, name))
            for name in ("cpu", "load", "swap_used", "swap_in", "alarm"):
                seen = getattr(reading, name)
                if seen is not None:
                    fields[name] = seen
        return Sample(time=time.monotonic(), wall=time.time(), pools=pools, missing=tuple(missing), **fields)


def live(sampler: Sampler, *, interval: float) -> Observable[Sample]:
    """Samples every `interval` seconds from a thread of its own, from subscription to disposal.

    Polls on absolute deadlines, so it doesn't drift; a deadline that was missed is skipped, never caught up.
    Disposing joins the thread, except from the thread itself.
    """

    def subscribe(observer: abc.ObserverBase[Sample], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:  # noqa: ARG001
        stop = threading.Event()

        def run() -> None:
            start = time.monotonic()
            while not stop.is_set():
                observer.on_next(sampler.take())
                passed = time.monotonic() - start
                stop.wait((passed // interval + 1) * interval - passed)

        thread = threading.Thread(target=run, name="gearshift-sampler", daemon=True)

        def dispose() -> None:
            stop.set()
            if threading.current_thread() is not thread:
                thread.join(timeout=5)

        thread.start()
        return Disposable(dispose)

    return reactivex.create(subscribe)
