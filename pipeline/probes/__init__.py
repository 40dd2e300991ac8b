"""Probes: each reads one thing of the machine and returns a `Reading`."""

from typing import Protocol

from ..samples import Reading

__all__ = ["Probe"]


class Probe(Protocol):
    """`read` may raise; the source then marks the probe missing in the sample and goes on."""

    @property
    def name(self) -> str: ...

    @property
    def pools(self) -> tuple[str, ...]:
        """Names of the pools that are unknown when `read` fails."""
        ...

    def read(self) -> Reading: ...
