"""Probes: each reads one thing of the machine and returns a `Reading`."""

from typing import Protocol

from ..samples import Reading

__all__ = ["Probe"]


class Probe(Protocol):
    """Reads one thing of the machine. Probes of your own go into `Sampler([*default_probes(), mine])`."""

    @property
    def name(self) -> str:
        """What `Sample.missing` and the log call it."""
        ...

    @property
    def pools(self) -> tuple[str, ...]:
        """Names of the pools that are unknown when `read` fails."""
        ...

    def read(self) -> Reading:
        """How things stand now. It may raise: the sample then names the probe as missing, and the rest is read."""
        ...
