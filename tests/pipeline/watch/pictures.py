"""Recordings as pictures, for the tests beside this."""

from pathlib import Path

from gearshift.pipeline import Pool, Rung, Sample, Settings, load
from gearshift.pipeline.outlook import OutlookWindow
from gearshift.pipeline.simulation.fitting import own_settings
from gearshift.pipeline.watch.board import Board, View
from gearshift.pipeline.watch.playing import recorded, simulated
from gearshift.pipeline.watch.story import Story

RECORDINGS = Path(__file__).parents[2] / "recordings"
GIB = 2**30
LADDER = [Rung("large", {"ram": 18_500_000_000}, quality=1.0), Rung("small", {"ram": 4_000_000_000}, quality=0.7)]


def played(name: str) -> Story:
    recording = load(RECORDINGS / f"{name}.jsonl")
    return recorded(recording, own_settings(recording))


def played_anew(name: str) -> Story:
    recording = load(RECORDINGS / f"{name}.jsonl")
    return simulated(recording, LADDER, own_settings(recording))


def told(samples: list[Sample], settings: Settings | None = None) -> Story:
    chosen = settings or Settings()
    story, window = Story("by hand", chosen), OutlookWindow(chosen)
    for sample in samples:
        story.add(window.update(sample))
    return story


def steady(time: float, used: int = 4 * GIB, own: int = 0, total: int = 10 * GIB) -> Sample:
    return Sample(time, {"ram": Pool(total, used, own)})


def drawn(story: Story, position: float, width: int = 80, height: int = 24, **more: object) -> list[str]:
    """The lines of the picture as text."""
    view = View(position, 60.0)._replace(**more)
    return ["".join(text for text, _ in line) for line in Board(story).draw(view, width, height)]
