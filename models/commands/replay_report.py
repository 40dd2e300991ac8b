"""What `gearshift replay` shows: decisions and marks at their times."""

import json
import time
from typing import NamedTuple

import msgspec
from rich.console import Console
from rich.table import Table

from ...pipeline.replayed import replayed
from ...pipeline.scaler import ProactiveScaler
from ...pipeline.words import Decision, counted, duration
from .plain import plain
from .progress import decisions_unlogged
from .simulation_input import Given


class Replay(NamedTuple):
    """dry: each decision was taken as carried out at once, as the recording doesn't tell what was loaded."""

    decisions: list[Decision]
    dry: bool


def run(given: Given, *, own: bool) -> Replay:
    """Decide on the recording. own: with the ladder that it names."""
    if own and given.recording.residencies:
        return Replay(replayed(given.recording, settings=given.settings), dry=False)
    found: list[Decision] = []
    scaler = ProactiveScaler(given.ladder, given.settings, given.recording.stream(), dry_run=True)
    scaler.decisions.subscribe(found.append)
    with decisions_unlogged(), scaler:
        return Replay(found, dry=True)


def show(given: Given, found: Replay, speed: float | None) -> None:
    """Print it for people; with a speed each line when it is due, so many seconds of the recording in one."""
    console, start, begun = Console(highlight=False), given.recording.samples[0].time, time.monotonic()
    wide = len(duration(given.recording.samples[-1].time - start))
    lines = [(d.time, plain(d.explain())) for d in found.decisions]
    lines += [(mark.time, plain(f"Mark: {mark.text}", "dim")) for mark in given.recording.marks]
    for at, told in sorted(lines, key=lambda line: line[0]):
        if speed is not None:
            time.sleep(max(0.0, (at - start) / speed - (time.monotonic() - begun)))
        line = Table.grid(padding=(0, 2))
        line.add_column(justify="right", no_wrap=True, min_width=wide)
        line.add_row(duration(at - start), told)
        console.print(line)
    span = duration(given.recording.samples[-1].time - start)
    how = "as in a dry run" if found.dry else "beside what was loaded then"
    made = counted(len(found.decisions), "decision") if found.decisions else "No decisions"
    console.print(plain(f"{made} over {span}, {how}."))


def as_json(given: Given, found: Replay) -> str:
    """One object. Bytes, fractions, seconds; times are those of the samples. recorded: decisions that it holds."""
    told = {
        "recording": str(given.recording.path),
        "format": given.recording.format,
        "samples": len(given.recording),
        "start": given.recording.samples[0].time,
        "ladder": [msgspec.to_builtins(rung) for rung in given.ladder],
        "settings": msgspec.to_builtins(given.settings),
        "dry_run": found.dry,
        "recorded": len(given.recording.decisions),
        "decisions": [{**msgspec.to_builtins(d), "explain": d.explain()} for d in found.decisions],
    }
    return json.dumps(told, indent=2)
