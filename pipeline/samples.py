"""What one reading of the machine is. Bytes are ints, times float seconds, fractions 0..1."""

import msgspec


class Pool(msgspec.Struct, frozen=True):
    """Memory that a model can sit in.

    total: bytes under the tightest limit in force. used: bytes that a new allocation cannot have.
    own: the part of `used` that this app's models hold.

    >>> Pool(total=100, used=60, own=25).external
    35
    """

    total: int
    used: int
    own: int = 0

    def __post_init__(self) -> None:
        if self.total <= 0 or self.used < 0 or self.own < 0:
            raise ValueError(
                f"a pool needs total > 0, used >= 0, own >= 0 bytes, got {self.total}, {self.used}, {self.own}"
            )

    @property
    def external(self) -> int:
        """Bytes that everyone else holds."""
        return max(0, self.used - self.own)


class Pressure(msgspec.Struct, frozen=True):
    """Share of the time since the last reading in which work stalled for memory: some of it, or all of it."""

    some: float
    full: float


class Reading(msgspec.Struct, frozen=True):
    """What one probe saw. A field that it does not know stays empty; a pool that it should know and can't is None."""

    pools: dict[str, Pool | None] = {}
    cpu: float | None = None
    swap_used: int | None = None
    pressure: Pressure | None = None


class Sample(msgspec.Struct, frozen=True):
    """All probes at one moment.

    time: monotonic seconds, the event time. wall: seconds since 1970, for people. pools: by name (`ram`, `cuda:0`);
    None where the reading failed. cpu: busy fraction. swap_used: bytes. missing: names of the probes that failed.
    """

    time: float
    pools: dict[str, Pool | None]
    cpu: float | None = None
    swap_used: int | None = None
    pressure: Pressure | None = None
    wall: float = 0.0
    missing: tuple[str, ...] = ()
