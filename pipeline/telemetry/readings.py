"""What is looked at when somebody asks: pools, devices, rungs, sensors. What isn't known now is left out."""

from collections.abc import Iterable, Iterator

from ..samples import Device, Pool
from ..tracking import PoolOutlook
from .following import Followed
from .instruments import Instrument, Point

_POOL, _RUNG = "gearshift.pool", "gearshift.rung"


def _pools(followed: Followed) -> Iterator[tuple[str, PoolOutlook]]:
    outlook = followed.outlook
    if outlook is not None:
        yield from ((name, seen) for name, seen in outlook.pools.items() if seen is not None)


def _ram(followed: Followed) -> Iterator[tuple[str, Pool]]:
    return ((name, seen.pool) for name, seen in _pools(followed) if name == "ram")


def _gpus(followed: Followed) -> Iterator[tuple[str, Pool]]:
    return ((name, seen.pool) for name, seen in _pools(followed) if name != "ram")


def _devices(followed: Followed) -> Iterator[tuple[str, Device]]:
    outlook = followed.outlook
    if outlook is not None:
        yield from outlook.sample.devices.items()


def _ceilings(followed: Followed) -> Iterator[Point]:
    for name, seen in _pools(followed):
        for ceiling, limit in followed.scaler.settings.ceilings(name, seen.pool.total).items():
            yield (name, ceiling), limit


def _bounds(followed: Followed) -> Iterator[Point]:
    outlook = followed.outlook
    if outlook is None:
        return
    for name, seen in outlook.pools.items():
        if seen is not None:
            yield (name, "shrink"), seen.bound(outlook.shrink)
            yield (name, "grow"), seen.bound(outlook.grow)


def _time_left(followed: Followed) -> Iterator[Point]:
    for name, seen in _pools(followed):
        left = followed.scaler.settings.limit(name, seen.pool.total) - seen.external - seen.pool.own
        if left <= 0 or seen.slope > 0:
            yield (name,), left / seen.slope if left > 0 else 0.0


def _pressure(followed: Followed) -> Iterator[Point]:
    outlook = followed.outlook
    if outlook is not None:
        for resource, stalled in outlook.sample.pressure.items():
            yield (resource, "some"), stalled.some
            yield (resource, "full"), stalled.full


def _shift(followed: Followed) -> Iterator[Point]:
    outlook = followed.outlook
    if outlook is not None:
        yield (), outlook.shift


def _missing(followed: Followed) -> Iterator[Point]:
    outlook = followed.outlook
    if outlook is not None:
        for name in sorted(followed.missed):
            yield (name,), float(name in outlook.sample.missing)


def _age(followed: Followed) -> Iterator[Point]:
    if followed.age is not None:
        yield (), followed.age


def _loaded(followed: Followed) -> Iterator[Point]:
    return _one_of((rung.name for rung in followed.scaler.ladder), followed.rung)


def _desired(followed: Followed) -> Iterator[Point]:
    if followed.outlook is not None:  # else nothing decides
        decision = followed.decision
        wanted = followed.rung if decision is None else decision.target
        yield from _one_of((rung.name for rung in followed.scaler.ladder), wanted)


def _state(followed: Followed) -> Iterator[Point]:
    if followed.residency is not None:
        yield from _one_of(("empty", "shifting", "ready"), followed.residency.state)


def _one_of(names: Iterable[str], chosen: str | None) -> Iterator[Point]:
    return (((name,), float(name == chosen)) for name in names)


_USED = ("system.memory.state", _POOL)
_GPU = ("hw.id", _POOL)
_PART = ("hw.id", "hw.type")

READINGS = (
    Instrument(
        "system.memory.limit", "updown", "By", "Size of main memory under the tightest limit in force.", (_POOL,),
        lambda f: (((name,), pool.total) for name, pool in _ram(f)),
    ),
    Instrument(
        "system.memory.usage", "updown", "By", "Main memory by state; used: what a new allocation cannot have.", _USED,
        lambda f: (
            point
            for name, pool in _ram(f)
            for point in ((("used", name), pool.used), (("free", name), max(0, pool.total - pool.used)))
        ),
    ),
    Instrument(
        "system.memory.utilization", "gauge", "1", "Share of main memory that is used.", _USED,
        lambda f: ((("used", name), pool.used / pool.total) for name, pool in _ram(f)),
    ),
    Instrument(
        "hw.gpu.memory.limit", "updown", "By", "Size of an accelerator's memory.", _GPU,
        lambda f: (((name, name), pool.total) for name, pool in _gpus(f)),
    ),
    Instrument(
        "hw.gpu.memory.usage", "updown", "By", "Memory of an accelerator that is used.", _GPU,
        lambda f: (((name, name), pool.used) for name, pool in _gpus(f)),
    ),
    Instrument(
        "hw.gpu.memory.utilization", "gauge", "1", "Share of an accelerator's memory that is used.", _GPU,
        lambda f: (((name, name), pool.used / pool.total) for name, pool in _gpus(f)),
    ),
    Instrument(
        "hw.gpu.utilization", "gauge", "1", "Share of the time in which an accelerator is busy.", ("hw.id",),
        lambda f: (((name,), d.utilisation) for name, d in _devices(f) if d.utilisation is not None),
    ),
    Instrument(
        "hw.temperature", "gauge", "Cel", "Temperature of an accelerator.", _PART,
        lambda f: (((name, "gpu"), d.temperature) for name, d in _devices(f) if d.temperature is not None),
    ),
    Instrument(
        "hw.power", "gauge", "W", "Power that an accelerator draws.", _PART,
        lambda f: (((name, "gpu"), d.power) for name, d in _devices(f) if d.power is not None),
    ),
    Instrument(
        "hw.errors", "counter", "{error}", "Memory errors of an accelerator since its driver was loaded.",
        (*_PART, "error.type"),
        lambda f: (((name, "gpu", "uncorrected"), d.ecc_errors) for name, d in _devices(f) if d.ecc_errors is not None),
    ),
    Instrument(
        "gearshift.pool.own", "updown", "By", "The part of a pool's use which the app's models hold.", (_POOL,),
        lambda f: (((name,), seen.pool.own) for name, seen in _pools(f)),
    ),
    Instrument(
        "gearshift.pool.external", "updown", "By", "The part of a pool's use which everyone else holds.", (_POOL,),
        lambda f: (((name,), seen.external) for name, seen in _pools(f)),
    ),
    Instrument(
        "gearshift.pool.ceiling", "gauge", "By", "Use of a pool from which something is done: low, high, critical.",
        (_POOL, "gearshift.ceiling"), _ceilings,
    ),
    Instrument(
        "gearshift.pool.bound", "gauge", "By",
        "What external use should not exceed within the time to shrink or to grow.", (_POOL, "gearshift.horizon"),
        _bounds,
    ),
    Instrument(
        "gearshift.pool.slope", "gauge", "By/s", "Rise of external use that forecasts go by; 0 where none is in sight.",
        (_POOL,), lambda f: (((name,), seen.slope) for name, seen in _pools(f)),
    ),
    Instrument(
        "gearshift.pool.time_left", "gauge", "s", "Time until use reaches the high ceiling, while it rises.",
        (_POOL,), _time_left,
    ),
    Instrument(
        "gearshift.pressure", "gauge", "1", "Share of the time in which some or all work stalled for a resource.",
        ("gearshift.resource", "gearshift.stall"), _pressure,
    ),
    Instrument("gearshift.shift.expected_duration", "gauge", "s", "How long a shift may take here.", (), _shift),
    Instrument("gearshift.rung.loaded", "updown", "1", "Is it the rung that is loaded? 1 or 0.", (_RUNG,), _loaded),
    Instrument(
        "gearshift.rung.desired", "updown", "1", "Is it the rung that was decided on last? 1 or 0.", (_RUNG,), _desired
    ),
    Instrument(
        "gearshift.state", "updown", "1", "Is it the state that models are in? 1 or 0.",
        ("gearshift.state.name",), _state,
    ),
    Instrument(
        "gearshift.sensor.missing", "updown", "1", "Is it a sensor that can't be read now? 1 or 0.",
        ("gearshift.sensor",), _missing,
    ),
    Instrument("gearshift.sample.age", "gauge", "s", "Time since the newest sample came.", (), _age),
    Instrument(
        "gearshift.samples", "counter", "{sample}", "Samples while it was followed.", (), lambda f: [((), f.samples)]
    ),
    Instrument(
        "gearshift.decisions", "counter", "{decision}", "Decisions since the start, by what, how urgent, and why.",
        ("gearshift.decision.kind", "gearshift.decision.urgency", "gearshift.decision.rule"),
        lambda f: f.decisions.items(),
    ),
)  # fmt: skip
"""In the order in which they are told."""
