"""What a run that breaks things has counted: kept in `build/survival/`, and shown as one table.

Run it after `make exhaust hammer soak fuzz`: python -m tests.survival.tally
"""

from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

KEPT = Path("build/survival")


class Tally(msgspec.Struct, frozen=True):
    """One row.

    what: was done, in a few words. runs: how often. faults: were put in, all runs together. lost: replies that were
    asked for and never came. kills: of the app. broken: promises that did not hold, of whatever kind. seconds: it took.
    """

    what: str
    runs: int
    faults: int
    lost: int
    kills: int
    broken: int
    seconds: float

    @property
    def held(self) -> bool:
        return not (self.lost or self.kills or self.broken)

    def keep(self) -> None:
        KEPT.mkdir(parents=True, exist_ok=True)
        name = "".join(c if c.isalnum() else "-" for c in self.what)
        (KEPT / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(self)))


def kept() -> list[Tally]:
    return [msgspec.json.decode(path.read_bytes(), type=Tally) for path in sorted(KEPT.glob("*.json"))]


def table(tallies: list[Tally]) -> Table:
    shown = Table("what", "runs", "faults", "replies lost", "app killed", "broken", "seconds")
    for column in shown.columns[1:]:
        column.justify = "right"
    for t in tallies:
        counts = (t.runs, t.faults, t.lost, t.kills, t.broken)
        shown.add_row(t.what, *(f"{count:,}" for count in counts), f"{t.seconds:,.0f}")
    return shown


if __name__ == "__main__":
    found = kept()
    Console(width=120).print(table(found))
    raise SystemExit(0 if found and all(t.held for t in found) else 1)
