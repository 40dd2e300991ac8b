"""What `gearshift doctor` shows."""

import json
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from . import doctor_machine, doctor_models
from .doctor_findings import Findings, Wanting


def examined() -> Findings:
    """All that can be told of this machine, in a few seconds."""
    found = Findings()
    for look in (
        doctor_machine.software, doctor_machine.memory, doctor_machine.gpus, doctor_models.torch_backends,
        doctor_models.host, doctor_models.ladders, doctor_models.terminal,
    ):  # fmt: skip
        look(found)
    return found


def show(found: Findings) -> None:
    """Print it for people, and for a bug report."""
    console = Console(highlight=False)
    facts = Table.grid(padding=(0, 2))
    facts.add_column(no_wrap=True)
    facts.add_column(overflow="fold")
    for name, what in found.facts.items():
        facts.add_row(Text(name), Text(what))
    console.print(facts)
    _list(console, "Broken, and needed:", found.broken, "bold red")
    _list(console, "Not there, and what would give it:", found.missing, "")
    console.print()
    if not found.broken:
        console.print(Text("All that is needed is there."))
    console.print(Text("All of this may be pasted into a bug report: it names no user and holds no secrets."))


def as_json(found: Findings) -> str:
    """One object of texts."""
    told = {
        "facts": found.facts,
        "missing": [wanting._asdict() for wanting in found.missing],
        "broken": [wanting._asdict() for wanting in found.broken],
    }
    return json.dumps(told, indent=2)


def _list(console: Console, title: str, wanting: Sequence[Wanting], style: str) -> None:
    if not wanting:
        return
    console.print("", Text(title, style or "bold"), sep="\n")
    for what, remedy in wanting:
        line = Table.grid(padding=(0, 1))
        line.add_row(Text("-"), Text(f"{what}: {remedy}"))
        console.print(line)
