"""Probes to a live stream of samples, at a pace of its own, from a thread of its own."""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, TypeVar

import msgspec
import reactivex
from reactivex import Observable, abc
from reactivex.disposable import Disposable

from .probes import Probe
from .probes.accelerator import AcceleratorProbe
from .probes.alarm import AlarmProbe
from .probes.load import CpuProbe, SwapProbe
from .probes.nvml import NvmlProbe
from .probes.pressure import PressureProbe
from .probes.processes import ProcessTree
from .probes.ram import Own, RamProbe
from .relay import Relay, Relieved
from .samples import Pool, Pressure, Reading, Sample
from .settings import Settings
from .waiting import Waiter

T = TypeVar("T")
log = logging.getLogger("gearshift.pipeline")

FILL = 6000 * 2**20
"""Bytes a second that programs are taken to fill memory at, at most, as in earlyoom."""

# Linux has one of its own for that; on macOS it is this one, which Python's monotonic time is not
_CLOCK = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


def event_time() -> float:
    """Seconds on a clock that never goes back and, where the system has one, counts on through a suspension."""
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


def default_probes(*, budget: int | None = None, own: Callable[[], Own] = Own) -> list[Probe]:
    """All that this machine can tell.

    Args:
        budget: bytes that this process tree may hold in RAM; by default no limit but the machine's.
        own: tells what this app's models hold in RAM.
    """
    tree, accelerator = ProcessTree(), AcceleratorProbe()

    def own_in_ram() -> Own:
        held = own()
        return Own(held.used + accelerator.in_ram(), held.mapped)

    ram = RamProbe(budget=budget, own=own_in_ram, tree=tree)
    probes: list[Probe] = [ram, CpuProbe(), SwapProbe(), PressureProbe()]
    try:
        probes.append(AlarmProbe())
    except OSError as error:
        log.warning("the service manager's memory pressure can't be watched: %s", error)
    return [*probes, NvmlProbe(pids=tree.pids), accelerator]


_FIELDS = [name for name in Reading.__struct_fields__ if name not in ("pools", "missing")]
_PATIENCE = 1.0  # seconds, with a probe that answers another thread
_INTERVALS = 3  # for which a reading may take


class Sampler:
    """Reads all `probes` into one Sample. A probe that raises is named in `missing`, and logged at its first failure.

    Thread-safe: no probe is read by two threads at once. One that hangs holds up the thread that reads it; to others it
    is missing. `alarm` is the probe that can wake a wait, if there is one.
    """

    def __init__(self, probes: Sequence[Probe]) -> None:
        self._probes = [(probe, threading.Lock()) for probe in probes]
        self._failing: set[str] = set()
        self.alarm = next((probe for probe in probes if isinstance(probe, AlarmProbe)), None)

    def take(self) -> Sample:
        """A reading by every probe, one after the other, on the calling thread."""
        return self._take(self._probes)

    def take_pools(self, names: Collection[str]) -> Sample:
        """A sample of the pools of these `names` by their probes alone: cheap, and held up by no other that hangs.

        A pool that no probe knows is left out.
        """
        wanted = frozenset(names)
        asked = [entry for entry in self._probes if not wanted.isdisjoint(entry[0].pools)]
        if not wanted.issubset(name for probe, _ in asked for name in probe.pools):
            # an accelerator has no pool until it has been read since torch woke it
            asked += [e for e in self._probes if isinstance(e[0], AcceleratorProbe) and e not in asked]
        return self._take(asked)

    def close(self) -> None:
        """Let go of what the probes hold; for the end of the app. Harmless when repeated.

        A probe that hangs is left as it is, and logged.
        """
        for probe, lock in self._probes:
            close = getattr(probe, "close", None)
            if close is None:
                continue
            try:
                self._alone(probe, lock, close)
            except TimeoutError as error:
                log.warning("probe %s can't be closed: %s", probe.name, error)

    def _alone(self, probe: Probe, lock: threading.Lock, call: Callable[[], T]) -> T:
        """The answer of a probe; raises TimeoutError while it owes one to another thread."""
        if not lock.acquire(timeout=0 if probe.name in self._failing else _PATIENCE):
            raise TimeoutError("it hangs, and has not answered what it was asked before")
        try:
            return call()
        finally:
            lock.release()

    def _take(self, probes: Iterable[tuple[Probe, threading.Lock]]) -> Sample:
        # no more digits than the clocks and the kernel's counts are good for: recordings stay small and readable
        now, wall = round(event_time(), 6), round(time.time(), 3)
        pools: dict[str, Pool | None] = {}
        fields: dict[str, Any] = {}
        missing: list[str] = []
        for probe, lock in probes:
            try:
                reading = self._alone(probe, lock, probe.read)
                told = {name: getattr(reading, name) for name in _FIELDS}
                _check(reading)
            except Exception as error:  # noqa: BLE001 - whatever a driver raises, the others still count
                missing.append(probe.name)
                pools.update(dict.fromkeys(probe.pools))
                if probe.name not in self._failing:
                    log.warning("probe %s failed: %s; its readings are missing until it recovers", probe.name, error)
                self._failing.add(probe.name)
                continue
            self._failing.discard(probe.name)
            missing.extend(reading.missing)
            pools.update(reading.pools)
            for name, seen in told.items():
                if isinstance(seen, dict):
                    fields.setdefault(name, {}).update(seen)
                elif seen is not None:
                    fields[name] = seen
        return Sample(time=now, wall=wall, pools=pools, missing=tuple(missing), **fields)


def _check(reading: Reading) -> None:
    """Raises TypeError for what would break those who decide."""
    for name, pool in reading.pools.items():
        if pool is not None and type(pool) is not Pool:
            raise TypeError(f"{name} must be a Pool, or None where it can't be read, got {pool!r}")
    for name, stall in reading.pressure.items():
        if type(stall) is not Pressure:
            raise TypeError(f"stalls of {name} must be a Pressure, got {stall!r}")


def pace(sample: Sample, *, slowest: float, fastest: float, ceiling: float = 1.0) -> float:
    """Seconds until the next sample is due: as long as memory can't fill up meanwhile, within the two limits.

    RAM counts, and what else our models are in: a GPU that others have filled is no hurry of ours.
    ceiling: the fraction of a pool at which it counts as full. Source: earlyoom's polling interval.
    """
    pools = [pool for name, pool in sample.pools.items() if pool is not None and (name == "ram" or pool.own > 0)]
    left = min((ceiling * pool.total - pool.used for pool in pools), default=None)
    return float(slowest if left is None else min(slowest, max(min(fastest, slowest), left / FILL)))


def live_by(sampler: Sampler, settings: Settings) -> Observable[Sample]:
    """`live` as the settings ask for."""
    return live(sampler, interval=settings.interval, fastest=settings.fastest, ceiling=settings.critical)


def live(
    sampler: Sampler, *, interval: float, fastest: float | None = None, ceiling: float = 1.0
) -> Observable[Sample]:
    """Samples from a thread of its own, from subscription to disposal.

    Every `interval` seconds; more often as memory runs short, down to every `fastest` seconds (see `pace`), as each
    sample's `interval` says; and at once when the service manager tells of memory pressure. Polls on absolute
    deadlines, so it doesn't drift; a deadline that was missed is skipped, never caught up. A subscriber that raises
    is logged, and the samples go on; so do they, by another thread, without a probe that hangs for three intervals and
    no less than 1 s, until it answers. A subscriber that blocks for so long is logged. Disposing joins the threads for
    up to 5 s, except from one of them.

    Args:
        sampler: reads the probes.
        interval: seconds.
        fastest: seconds; by default as `interval`, so that the pace is even.
        ceiling: the fraction of a pool at which it counts as full.
    """
    least = interval if fastest is None else min(fastest, interval)

    def subscribe(observer: abc.ObserverBase[Sample], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:  # noqa: ARG001
        waiter = Waiter(sampler.alarm)

        def sample_on() -> None:
            due, raising = event_time(), False
            while not waiter.stopped:
                taken = event_time()
                sample = relay.ask(sampler.take)
                gap = pace(sample, slowest=interval, fastest=least, ceiling=ceiling)
                try:
                    relay.tell(observer.on_next, msgspec.structs.replace(sample, interval=gap))
                    raising = False
                except Exception:
                    if not raising:
                        log.exception("a subscriber raised on a sample; sampling goes on")
                    raising = True
                now = event_time()
                due = min(due, now + gap) if now < due else due + gap * ((now - due) // gap + 1)
                waiter.wait(due - now, at_least=taken + least - now)

        def run() -> None:
            try:
                sample_on()
            except Relieved:
                return
            except Exception as error:  # noqa: BLE001 - nothing dies quietly
                observer.on_error(error)
            relay.end()
            waiter.close()

        def dispose() -> None:
            waiter.stop()
            relay.stop(wait=5)

        relay = Relay(run, patience=max(_PATIENCE, _INTERVALS * interval), name="gearshift-sampler")
        relay.start()
        return Disposable(dispose)

    return reactivex.create(subscribe)
