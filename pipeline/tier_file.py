"""Tiers and the TOML file that they come from: read, and refused with one clear error where it can't be used."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

import msgspec

from .configuring import SettingsError, instead_of
from .settings import Settings
from .toml_file import called, read_toml

SHIPPED = Path(__file__).with_name("tiers.toml")
_DEFAULTS = Settings()
_MOST = 1e9
_KINDS = {"name": "text in quotes", "preferred": 'a list of patterns in quotes, such as ["*7b*", "*"]'}


class TierError(SettingsError):
    """Tiers that can't be used: names the file, the tier, the key, its value and what to do."""


class Thresholds(TypedDict):
    """What a tier says about the keyword arguments of `Settings`: fractions, then seconds."""

    high: float
    critical: float
    hysteresis: float
    interval: float
    window: float


class Tier(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A class of machines, and how cautious to be on one.

    A machine reaches the tier by `min_memory_gib` of RAM and `min_cores` together, or, where `min_accelerator_gib` is
    given, by one accelerator with that much memory, whatever its RAM and cores. All in GiB; cores may be fractions.
    high, critical, hysteresis (fractions), interval, window (seconds): as in `Settings`, whose defaults they have.
    preferred: patterns on the names of rungs (`*`, `?`, `[a-z]`, `[!0-9]`; case doesn't count), best first.

    Raises ValueError for a value that can't be, by name.
    """

    name: str
    min_memory_gib: float = 0
    min_cores: float = 0
    min_accelerator_gib: float | None = None
    high: float = _DEFAULTS.high
    critical: float = _DEFAULTS.critical
    hysteresis: float = _DEFAULTS.hysteresis
    interval: float = _DEFAULTS.interval
    window: float = _DEFAULTS.window
    preferred: tuple[str, ...] = ("*",)

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError(f"name must hold a word, got name={self.name!r}")
        for field in ("min_memory_gib", "min_cores"):
            value = getattr(self, field)
            if not 0 <= value <= _MOST:
                raise ValueError(f"{field} must be a number from 0 to {_MOST:g}, got {field}={value!r}")
        by = self.min_accelerator_gib
        if by is not None and not 0 < by <= _MOST:
            raise ValueError(
                f"min_accelerator_gib must be a number above 0, up to {_MOST:g}, got min_accelerator_gib={by!r}; "
                "leave it out where an accelerator is no way into the tier"
            )
        if not self.high < self.critical:
            raise ValueError(
                f"high must be below critical ({self.critical}), got high={self.high!r}; lower high or raise critical"
            )
        Settings(**self.thresholds())

    def thresholds(self) -> Thresholds:
        """Keyword arguments of `Settings`."""
        return {
            "high": self.high, "critical": self.critical, "hysteresis": self.hysteresis, "interval": self.interval,
            "window": self.window,
        }  # fmt: skip

    def reached_by(self, memory: float, cores: float, accelerators: Mapping[str, float]) -> bool:
        """Does a machine reach the tier? memory: bytes of RAM. cores. accelerators: bytes of each, by name."""
        by = self.min_accelerator_gib
        return (memory >= self.min_memory_gib * 2**30 and cores >= self.min_cores) or (
            by is not None and any(total >= by * 2**30 for total in accelerators.values())
        )

    def _repr_html_(self) -> str:
        from .views.html import record_html

        return record_html(self)


def read_tiers(file: Path = SHIPPED, *, named_by: str = "") -> tuple[Tier, ...]:
    """The `[[tier]]` tables of a TOML file, best first.

    Args:
        file: the one that ships by default. named_by: where its name comes from, for the error.

    Raises:
        TierError: the file can't be read or isn't TOML, a key is unknown or has a wrong value, a name comes twice, a
            tier can never be reached, or the last one has a minimum, so that some machine would be in none.
    """
    where = called(file, named_by)
    content = read_toml(
        file, TierError, where=where, holds="a tiers file holds [[tier]] tables",
        remedy="give the path of a tiers file, or none for the tiers that ship",
    )  # fmt: skip
    tiers = [_tier(f"{where}: tier[{i}]", table) for i, table in enumerate(_tables(where, content))]
    _check(where, tiers)
    return tuple(tiers)


def _tables(where: str, content: dict[str, Any]) -> list[dict[str, Any]]:
    for key, value in content.items():
        if key != "tier":
            raise TierError(f"{where}: unknown key {key} = {value!r}; a tiers file holds [[tier]] tables only")
    tables = content.get("tier")
    if not tables:
        raise TierError(f"{where}: holds no tier; add [[tier]] tables, the best tier first")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise TierError(f"{where}: tier must be [[tier]] tables, got tier={tables!r}; put each under [[tier]]")
    return tables


def _tier(where: str, table: dict[str, Any]) -> Tier:
    if "name" not in table:
        raise TierError(f"{where}: name is missing; give every [[tier]] a name")
    where = f"{where} {table['name']!r}"
    for key in table:
        if key not in Tier.__struct_fields__:
            instead = instead_of(key, Tier.__struct_fields__, "keys of a tier")
            raise TierError(f"{where}: unknown key {key} = {table[key]!r}; {instead}")
    try:
        return msgspec.convert(table, Tier)
    except msgspec.ValidationError as error:
        # msgspec tells the place of a wrong type; a wrong value comes in the words of Tier
        place = re.search(r"at `\$\.(\w+)", str(error))
        if place is None:
            raise TierError(f"{where}: {error}") from None
        key = place[1]
        raise TierError(f"{where}: {key} must be {_KINDS.get(key, 'a number')}, got {key}={table[key]!r}") from None


def _check(where: str, tiers: Sequence[Tier]) -> None:
    for i, tier in enumerate(tiers):
        here, above = f"{where}: tier[{i}] {tier.name!r}", tiers[:i]
        if any(tier.name == earlier.name for earlier in above):
            raise TierError(f"{here}: name={tier.name!r} is the name of an earlier tier too; give each its own")
        if not _reachable(tier, above):
            minima = ", ".join(f"{f}={getattr(tier, f):g}" for f in _MINIMA if getattr(tier, f) is not None)
            raise TierError(
                f"{here}: can never be reached: with {minima} every machine that reaches it is in a tier above "
                "it already; put the tiers in order, the highest minimum first"
            )
    last = tiers[-1]
    for field in ("min_memory_gib", "min_cores"):
        if getattr(last, field) > 0:
            raise TierError(
                f"{where}: tier[{len(tiers) - 1}] {last.name!r}: {field} must be 0 in the last tier, got "
                f"{field}={getattr(last, field):g}: a smaller machine would be in no tier; set it to 0 or leave it out"
            )


_MINIMA = ("min_memory_gib", "min_cores", "min_accelerator_gib")


def _reachable(tier: Tier, above: Sequence[Tier]) -> bool:
    """Whether the least machine of either way into the tier is in no tier above it."""
    by = tier.min_accelerator_gib
    if not any(t.reached_by(tier.min_memory_gib * 2**30, tier.min_cores, {}) for t in above):
        return True
    return by is not None and not any(t.reached_by(0, 0, {"": by * 2**30}) for t in above)
