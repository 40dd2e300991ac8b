"""What the caller says about a file that the file itself doesn't."""

from collections.abc import Mapping, Sequence

import msgspec

from .quantities import UNITS
from .source import Unsaid
from .vocabulary import is_field


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments of `import_samples`, checked. Raises ValueError naming the argument and its value."""

    columns: Mapping[str, str] | Sequence[str] | None = None
    totals: Mapping[str, int] = {}
    interval: float | None = None
    unit: str | None = None
    instance: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.columns, str):
            raise ValueError(f"columns must be a mapping or a list of names, got {self.columns!r}")
        for field in self.named:
            if not is_field(field):
                raise ValueError(f"columns names {field!r}, which is no field; one is such as ram.used or cuda:0.total")
        if self.interval is not None and not 0 < self.interval < float("inf"):
            raise ValueError(f"interval must be > 0 seconds, got {self.interval!r}")
        if self.unit is not None and self.unit not in UNITS:
            raise ValueError(f"unit must be one of {', '.join(UNITS)}, got {self.unit!r}")
        for pool, total in self.totals.items():
            if not isinstance(total, int) or total <= 0:
                raise ValueError(f"totals[{pool!r}] must be bytes > 0 as an int, got {total!r}")

    @property
    def named(self) -> Mapping[str, str]:
        """Field → column, as far as the caller named columns that way."""
        return self.columns if isinstance(self.columns, Mapping) else {}

    @property
    def listed(self) -> Sequence[str]:
        """All columns from left to right, as far as the caller named them that way."""
        return [] if self.columns is None or isinstance(self.columns, Mapping) else self.columns

    @property
    def step(self) -> float:
        """Seconds until the next reading, 0.0 where the caller didn't say."""
        return float(self.interval or 0.0)

    def tick(self, count: int) -> float:
        """Seconds at the reading number `count` of a file without times. Raises Unsaid without an interval."""
        if self.interval is None:
            raise Unsaid("no time on this line", "pass interval= (seconds between two readings)")
        return count * self.step
