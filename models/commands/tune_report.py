"""What `gearshift tune` shows: the settings that nothing beats on a recording, and the present ones among them."""

import json
from collections.abc import Iterable, Sequence

import msgspec
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ...pipeline.settings import Settings
from ...pipeline.simulation.tuning import KEYS, Trial, Tuning, tune
from ...pipeline.words import duration
from .plain import plain
from .simulation_input import Given
from .simulation_report import headline


def run(given: Given) -> Tuning:
    """The search, with a bar on the terminal while it takes its time."""
    console = Console(stderr=True)

    def watch(settings: Sequence[Settings]) -> Iterable[Settings]:
        return track(settings, "Simulating", console=console, transient=True, disable=not console.is_terminal)

    return tune(
        given.recording.samples,
        given.ladder,
        given.settings,
        fixed=given.changed,
        load_time=given.load_time,
        watch=watch,
    )


def show(given: Given, found: Tuning) -> None:
    """Print it for people."""
    console = Console(highlight=False)
    console.print(plain(headline(given)), "", sep="\n")
    console.print(plain(f"Of {found.runs} settings these are not beaten on all counts by any other, the best first:"))
    console.print("", _table(given, found), "", sep="\n")
    among = _among(found)
    console.print(plain(f"> marks the present settings{'' if among else ', which another one beats'}."))
    best = changes(found.best[0].settings, given.settings)
    console.print(plain(f"The best: {best}" if best else "The present settings are the best."), soft_wrap=True)


def as_json(given: Given, found: Tuning) -> str:
    """One object. Fractions and seconds; `above_seconds` are those above `critical`."""
    told = {
        "recording": str(given.recording.path),
        "samples": len(given.recording),
        "runs": found.runs,
        "fixed": list(given.changed),
        "present": _told(found.present, given.settings),
        "best": [_told(trial, given.settings) for trial in found.best],
    }
    return json.dumps(told, indent=2)


def changes(settings: Settings, present: Settings) -> str:
    """The options that lead from the present settings to these; empty for the very same."""
    pairs = [(key, getattr(settings, key)) for key in KEYS if getattr(settings, key) != getattr(present, key)]
    texts = [(key, f"{value:g}" if isinstance(value, float) else str(value)) for key, value in pairs]
    return " ".join(f"--set {key}={text}" for key, text in texts)


def _told(trial: Trial, present: Settings) -> dict[str, object]:
    return {
        "set": changes(trial.settings, present),
        "settings": msgspec.to_builtins(trial.settings),
        "effective_quality": trial.quality,
        "shifts": trial.shifts,
        "above_seconds": trial.above,
        "overcommit_seconds": trial.overcommit,
        "kills": trial.kills,
        "alike": trial.alike,
    }


def _table(given: Given, found: Tuning) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in ("  quality", "shifts", f"above {given.settings.critical:.0%}", "kills"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("alike", justify="right")
    table.add_column("settings", overflow="fold")
    for trial in found.best if _among(found) else (*found.best, found.present):
        here = trial.settings == given.settings
        table.add_row(
            f"{'>' if here else ' '} {trial.quality:.3f}",
            str(trial.shifts),
            duration(trial.above),
            str(trial.kills),
            str(trial.alike or ""),
            plain(changes(trial.settings, given.settings) or "as they are"),
            style="bold" if here else "",
        )
    return table


def _among(found: Tuning) -> bool:
    return found.present.settings in [trial.settings for trial in found.best]
