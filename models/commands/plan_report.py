"""What `gearshift plan` shows: each rung of the ladder, what it needs, and whether it fits now."""

import json
from typing import NamedTuple

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from ...pipeline.samples import Pool
from ...pipeline.settings import Settings
from ...pipeline.sources import Sampler, default_probes
from ...pipeline.tiers import machine_settings
from ..ladders.ladder import Ladder, quality
from ..ladders.spec import ModelSpec
from ..needs.need import Need
from ..needs.remembered import Needs
from .plain import plain

MIB = 2**20


class Row(NamedTuple):
    """A rung. estimated: by its files alone. need: by all that is known. fits: None where a pool that it needs can't
    be read. why: the numbers of the pool that decides."""

    spec: ModelSpec
    quality: float
    estimated: Need
    need: Need
    fits: bool | None
    why: str


class Plan(NamedTuple):
    """where: what the ladder came from. pools: as they are now, None for one that can't be read."""

    where: str
    settings: Settings
    pools: dict[str, Pool | None]
    rows: list[Row]


def planned(ladder: Ladder, needs: Needs | None = None) -> Plan:
    """The ladder on this machine now, beside all that is in use, by the ceilings that are set for it.

    Raises LadderError where its rungs are not the best first, SettingsError for settings that can't be used.
    """
    needs, settings = needs or Needs(), machine_settings()
    ladder.rungs(needs)
    found = [(spec, needs.estimated(spec), needs.of(spec)) for spec in ladder]
    names = {pool for _, _, need in found for pool in need.need}
    sampler = Sampler(default_probes())
    try:
        pools = sampler.take_pools(names).pools
    finally:
        sampler.close()
    rows = []
    for spec, estimated, need in found:
        fits, why = judged(need, pools, settings)
        rows.append(Row(spec, quality(spec), estimated, need, fits, why))
    return Plan(ladder.where, settings, {name: pools.get(name) for name in sorted(names)}, rows)


def judged(need: Need, pools: "dict[str, Pool | None]", settings: Settings) -> tuple[bool | None, str]:
    """Would it fit under the ceiling beside all that is in use? The pool that has least to spare decides."""
    told: list[tuple[float, str]] = []
    for name, size in need.need.items():
        pool = pools.get(name)
        if pool is None:
            return None, f"{name} can't be read"
        limit = settings.limit(name, pool.total)
        left = limit - pool.used
        ceiling = f"{_gib(limit)} GiB of {_gib(pool.total)} may be in use"
        told.append((left - size, f"{name}: {_gib(max(0, left))} GiB left, {_gib(pool.used)} in use; {ceiling}"))
    spare, why = min(told)
    return spare >= 0, why


def show(plan: Plan) -> None:
    """Print the ladder for people, and of each rung that does not fit why."""
    console = Console(highlight=False)
    console.print(plain(f"The ladder of {plan.where}"), soft_wrap=True)
    console.print("", _table(plan), "", sep="\n")
    for name, pool in plan.pools.items():
        console.print(plain(_pool(name, pool, plan.settings)))
    for row in plan.rows:
        if row.fits is not True:
            console.print(
                plain(f"{row.spec.name} {'does not fit' if row.fits is False else 'can not be judged'}: {row.why}")
            )
    if not any(row.need.measured for row in plan.rows):
        console.print(plain("Nothing is measured yet: the first load of a rung replaces its estimate."))


def as_json(plan: Plan) -> str:
    """One object, in bytes and fractions."""
    found = {
        "ladder": plan.where,
        "ceiling": plan.settings.high,
        "pools": {
            name: None if pool is None else {
                "total": pool.total, "used": pool.used, "limit": int(plan.settings.limit(name, pool.total)),
            }
            for name, pool in plan.pools.items()
        },
        "rungs": [
            {
                **msgspec.to_builtins(row.spec),
                "quality": row.quality,
                "estimated": msgspec.to_builtins(row.estimated),
                "need": msgspec.to_builtins(row.need),
                "fits": row.fits,
                "why": row.why,
            }
            for row in plan.rows
        ],
    }  # fmt: skip
    return json.dumps(found, indent=2)


def _table(plan: Plan) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("rung", overflow="fold")
    for title in ("quality", "context", "estimate", "measured", "at load", "fits now"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in plan.rows:
        table.add_row(
            plain(row.spec.name), f"{row.quality:.3g}", str(row.spec.context), _sizes(row.estimated.need),
            _sizes(row.need.need) if row.need.measured else "-", _sizes(row.need.peak),
            {True: "yes", False: "no", None: "unknown"}[row.fits],
            style="" if row.fits else "dim",
        )  # fmt: skip
    return table


def _sizes(need: dict[str, int]) -> str:
    """Of RAM alone the size, else each pool on a line of its own."""
    if list(need) == ["ram"]:
        return _size(need["ram"])
    return "\n".join(f"{name} {_size(size)}" for name, size in sorted(need.items()))


def _size(size: int) -> str:
    return f"{_gib(size)} GiB" if size >= 1024 * MIB else f"{size / MIB:.0f} MiB"


def _pool(name: str, pool: Pool | None, settings: Settings) -> str:
    if pool is None:
        return f"{name}: can't be read"
    limit = settings.limit(name, pool.total)
    return (
        f"{name}: {_gib(pool.used)} of {_gib(pool.total)} GiB in use, up to {_gib(limit)} ({settings.high:.0%}) may be"
    )


def _gib(size: float) -> str:
    return f"{size / 2**30:.2f}"
