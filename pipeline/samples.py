"""What one reading of the machine is. Bytes are ints, times float seconds, fractions 0..1."""

from typing import Annotated, TypeAlias

import msgspec

UNLIKELY = 1 << 60
"""Bytes that no machine has. Kernels and drivers say numbers from here on for "no limit" and "unknown"."""

# gc=False below: no cycle can be made of these records, and the collector would walk a day of them again and again


Whole: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""An int that fits 64 bits: what is read from a file is refused beyond, as no float holds an int of 400 digits."""


class Pool(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Memory that a model can sit in.

    total: bytes under the tightest limit in force. used: bytes that a new allocation cannot have. own: the bytes of
    `used` that this app's models hold. Raises ValueError for a total that isn't above 0, for others below 0, and for
    what can't be bytes: NaN, floats, text, an exbibyte and more.

    >>> Pool(total=100, used=60, own=25).external
    35
    """

    total: Whole
    used: Whole
    own: Whole = 0

    def __post_init__(self) -> None:
        if (
            type(self.total) is type(self.used) is type(self.own) is int
            and 0 < self.total < UNLIKELY
            and 0 <= self.used < UNLIKELY
            and 0 <= self.own < UNLIKELY
        ):
            return
        raise ValueError(
            f"a pool needs total > 0, used >= 0, own >= 0 bytes as ints, got {self.total!r}, {self.used!r}, "
            f"{self.own!r}; a reading that isn't known is None instead of a pool"
        )

    @property
    def external(self) -> int:
        """Bytes that everyone else holds."""
        return max(0, self.used - self.own)

    def _repr_html_(self) -> str:
        from .views.html import record_html

        return record_html(self, fields=("total", "used", "own", "external"))


class Pressure(msgspec.Struct, frozen=True, gc=False):
    """Share of the time since the last reading in which work stalled for a resource.

    some: the fraction in which at least one task did. full: the fraction in which all did, so that it was lost.
    Raises ValueError for what is no fraction from 0 to 1.
    """

    some: float
    full: float

    def __post_init__(self) -> None:
        try:
            if 0 <= self.some <= 1 and 0 <= self.full <= 1:
                return
        except TypeError:
            pass
        raise ValueError(
            f"stalls need some and full from 0 to 1, got {self.some!r}, {self.full!r}; leave out what isn't known"
        )

    def _repr_html_(self) -> str:
        from .views.html import record_html

        return record_html(self)


class Device(msgspec.Struct, frozen=True, omit_defaults=True):
    """An accelerator beside its memory; None where it can't say.

    utilisation: busy fraction. temperature: °C. power: watts. reserved: bytes that the driver keeps (part of the
    pool's `used`). throttled: why the clock is held down, by name. ecc_errors: how many
    uncorrected ones since the driver loaded.
    """

    utilisation: float | None = None
    temperature: float | None = None
    power: float | None = None
    reserved: Whole | None = None
    throttled: tuple[str, ...] = ()
    ecc_errors: Whole | None = None

    def _repr_html_(self) -> str:
        from .views.html import record_html

        return record_html(self)


class Reading(msgspec.Struct, frozen=True):
    """What one probe saw. A field that it does not know stays empty; a pool that it should know and can't is None.

    pools, devices, cpu, load, swap_used, swap_in, pressure, alarm: as in `Sample`, with its units. missing: names of
    the devices that this probe couldn't read while it read others.
    """

    pools: dict[str, Pool | None] = {}
    devices: dict[str, Device] = {}
    cpu: float | None = None
    load: float | None = None
    swap_used: Whole | None = None
    swap_in: float | None = None
    pressure: dict[str, Pressure] = {}
    alarm: bool | None = None
    missing: tuple[str, ...] = ()


class Sample(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag_field="record", tag="sample"):
    """All probes at one moment.

    time: seconds on a clock that never goes back and counts suspension, the event time. wall: seconds since 1970, for
    people. pools: by name (`ram`, `cuda:0`); None where the reading failed. devices: accelerators, by the name of
    their pool. cpu: busy fraction of the cores that this process may use. load: runnable tasks for each such core,
    mean of a minute. swap_used: bytes. swap_in: bytes a second read back from swap. pressure: stalls, by `memory`,
    `cpu` and `io`. alarm: the service manager has told of memory pressure since the last sample. interval: seconds
    until the next sample is due; 0.0 where that isn't known. missing: names of the probes, or of single devices, that
    failed.
    """

    time: float
    pools: dict[str, Pool | None]
    devices: dict[str, Device] = {}
    cpu: float | None = None
    load: float | None = None
    swap_used: Whole | None = None
    swap_in: float | None = None
    pressure: dict[str, Pressure] = {}
    alarm: bool | None = None
    interval: float = 0.0
    wall: float = 0.0
    missing: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        from .views.cards import sample_html

        return sample_html(self)
