"""A probe that plays a script."""

from collections.abc import Sequence

from ..samples import Reading


class ScriptedProbe:
    """Each read returns the next Reading of the script, or raises it if it is an exception; the last one for ever.

    For `Sampler([probe])`, and so for `ProactiveScaler(sampler=...)` or `live`.

    Args:
        script: readings and exceptions, in the order in which they are read.
        name: of the probe, as a sample names it in `missing`.
        pools: that are unknown where a read fails.

    Raises ValueError for an empty script.

    >>> from gearshift.pipeline import Pool, Reading, Sampler
    >>> sampler = Sampler([ScriptedProbe([Reading({"ram": Pool(1000, 400)}), OSError("gone")])])
    >>> sampler.take().pools, sampler.take().pools
    ({'ram': Pool(total=1000, used=400, own=0)}, {'ram': None})
    """

    def __init__(
        self, script: Sequence[Reading | Exception], *, name: str = "ram", pools: tuple[str, ...] = ("ram",)
    ) -> None:
        if not script:
            raise ValueError("script must hold at least one reading, got an empty one")
        self.name, self.pools = name, pools
        self._script, self._at = script, 0

    def read(self) -> Reading:
        """The next entry."""
        entry = self._script[min(self._at, len(self._script) - 1)]
        self._at += 1
        if isinstance(entry, Exception):
            raise entry
        return entry
