"""What `gearshift settings` shows: each value with its unit and where it comes from, and what a setting is for."""

import json
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from ...pipeline.about import COUNT
from ...pipeline.configuring import Effective, example, typed
from ...pipeline.settings import ABOUT, Settings, explained
from ...pipeline.settings_sources import in_shell, in_toml, settings_file, usual_file
from ...pipeline.views.units import told
from .plain import plain


def show(found: Effective, file: Path | None) -> None:
    """Print all of them. file: the one that was asked for."""
    console = Console(highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("setting", no_wrap=True)
    table.add_column("value")
    table.add_column("from", overflow="fold")
    for name, value in found.values.items():
        style = "dim" if value.source == "default" else ""
        source = "file" if value.source.startswith("file ") else value.source  # its path is told below
        table.add_row(name, plain(shown(name, value.value)), plain(source), style=style)
    console.print(table, "", sep="\n")
    read, _ = settings_file(file)
    where = f"The settings file is {read}" if read else f"There is no settings file; one would be {usual_file()}"
    console.print(plain(where), soft_wrap=True)
    for name in found.unheard:
        console.print(plain(_unheard(found, name)), soft_wrap=True)
    if found.left_alone:
        console.print(plain(f"Left alone, as they are no settings: {', '.join(found.left_alone)}"), soft_wrap=True)


def describe(found: Effective, names: Iterable[str]) -> None:
    """Print what these are for, what may stand in them, why they are as they are by default, and how to set them."""
    console = Console(highlight=False)
    for at, name in enumerate(names):
        value, usual = found.values[name], example(name)
        if at:
            console.print()
        console.print(plain(f"{name}: {shown(name, value.value)}, from {value.source}", "bold"), soft_wrap=True)
        if name in found.unheard:
            console.print(plain(f"  {_unheard(found, name)}"), soft_wrap=True)
        console.print(Padding(plain(explained(name)), (0, 0, 0, 2), expand=False))
        option = f"--set {shlex.quote(typed(name, usual))}"
        for way in (option, in_shell(name, usual), f"in the file: {in_toml(name, usual)}"):
            console.print(plain(f"    {way}"), soft_wrap=True)


def as_json(found: Effective, names: Iterable[str]) -> str:
    """One object. Fractions, seconds and bytes, as `unit` says."""
    settings = {name: _told(found, name) for name in names}
    others = {"left_alone": list(found.left_alone), "unheard": dict(found.unheard)}
    return json.dumps({"settings": settings, **others}, indent=2)


def shown(name: str, value: Any) -> str:
    """A value with its unit, for people.

    >>> shown("high", 0.8), shown("budget", 4 << 30), shown("latency", None), shown("max_shifts_per_hour", 6)
    ('80%', '4.00 GiB', 'no limit', '6 shifts')
    """
    if value is None:
        return ABOUT[name].none
    if value == {}:
        return "nothing"
    return told(value, name) + (f" {COUNT}" if ABOUT[name].unit == COUNT else "")


def _unheard(found: Effective, name: str) -> str:
    return f"{found.unheard[name]} is set too, but doesn't count: {found.values[name].source} is stronger"


def _told(found: Effective, name: str) -> dict[str, Any]:
    about = ABOUT[name]
    return {
        **found.values[name]._asdict(),
        "unit": about.unit,
        "allowed": about.allowed(),
        "default": getattr(Settings(), name),
        "what": about.what,
        "why": about.why,
    }
