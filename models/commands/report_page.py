"""What `gearshift report` does: simulates where it must, and writes the page."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ...pipeline.printable import clean
from ...pipeline.simulation.replies import Request, every
from ...pipeline.simulation.result import Simulation
from ...pipeline.simulation.rivals import RIVALS
from ...pipeline.simulation.simulate import simulate
from ...pipeline.views.report.report import check_target, write_report
from .simulation_input import Given, Unusable, recorded, with_ladder

_REQUESTS = 60.0  # seconds between them where policies are compared: some load only when somebody asks


class Made(NamedTuple):
    """A page that was written. found: None where it shows what really happened."""

    path: Path
    given: Given
    found: Simulation | None
    rivals: list[Simulation]


def make(
    recording: Path,
    path: Path,
    ladder: Path | None,
    changes: Iterable[str],
    load_time: float | None,
    compare: bool,
    force: bool,
    tell: Callable[[str], None],
) -> Made:
    """Write the page to `path`. tell: is told what is being done. Raises Unusable, OSError."""
    check_target(path, force=force)
    given = recorded(recording, changes, load_time)
    header = given.recording.header
    if ladder is not None or (header is not None and header.ladder):
        given = with_ladder(given, ladder)
    elif compare or load_time is not None:
        raise Unusable(f"{recording} names no ladder to simulate with; pass --ladder FILE", 2)
    own = ladder is None and bool(given.recording.decisions or given.recording.residencies)
    found = None
    if given.ladder and not own:
        tell("Simulating gearshift")
        found = _simulated(given, compare)
    rivals = _rivals(given, own, tell) if compare else []
    tell("Writing")
    settings = given.settings if found is None else None
    shown = found or given.recording
    write_report(shown, path, settings=settings, recording=given.recording, compare=rivals, force=force)
    return Made(path, given, found, rivals)


def told(made: Made) -> str:
    """Where it is, and what it shows."""
    shows = "what gearshift would have done" if made.found is not None else "what happened"
    if made.found is None and not made.given.ladder:
        shows = "memory only, as no ladder is known: pass --ladder FILE to see what gearshift would have done"
    return f"{clean(str(made.path))}: {made.path.stat().st_size / 2**20:.1f} MiB; {shows}. Open it in a browser."


def as_json(made: Made) -> str:
    """One object, in bytes and seconds."""
    figures = ("policy", "effective_quality", "kills", "above_seconds")
    shown = made.given.recording if made.found is None else made.found
    found = {
        "report": str(made.path),
        "bytes": made.path.stat().st_size,
        "recording": str(made.given.recording.path),
        "samples": len(made.given.recording),
        "simulated": made.found is not None,
        "decisions": len(shown.decisions),
        "compared": [{**{key: getattr(one, key) for key in figures}, "shifts": len(one.shifts)} for one in made.rivals],
    }
    return json.dumps(found, indent=2)


def _simulated(given: Given, asked: bool) -> Simulation:
    requests = _requests(given) if asked else ()
    return simulate(given.recording, given.ladder, given.settings, load_time=given.load_time, requests=requests)


def _rivals(given: Given, own: bool, tell: Callable[[str], None]) -> list[Simulation]:
    """The others; gearshift first where the page itself shows what really happened."""
    found: list[Simulation] = []
    if own:
        tell("Simulating gearshift")
        found.append(_simulated(given, True))
    for name, policy in RIVALS.items():
        tell(f"Simulating {name}")
        found.append(
            simulate(
                given.recording,
                given.ladder,
                given.settings,
                load_time=given.load_time,
                requests=_requests(given),
                policy=policy(given.ladder, given.settings),
                name=name,
            )
        )
    return found


def _requests(given: Given) -> Iterator[Request]:
    samples = given.recording.samples
    until = max(sample.time for sample in samples)
    return every(_REQUESTS, prompt=300, generated=100, since=samples[0].time, until=until)
