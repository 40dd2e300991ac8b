"""A recording as a story."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from ..lines import Line
from ..loading import Recording
from ..outlook import OutlookWindow
from ..replayed import by_time
from ..rungs import Rung
from ..samples import Pool, Sample
from ..settings import Settings
from ..simulation.simulate import simulate
from ..words import Decision
from .story import Story


def recorded(recording: Recording, settings: Settings) -> Story:
    """What was decided and loaded while it was made."""
    ladder = recording.header.ladder if recording.header is not None else ()
    return _told(Story(recording.title, settings, ladder, pretended=recording.dry), recording.lines)


def simulated(recording: Recording, ladder: Sequence[Rung], settings: Settings) -> Story:
    """What gearshift would have decided and loaded beside the programs of the recording; its marks stay."""
    found = simulate(recording, ladder, settings)
    samples = [
        msgspec.structs.replace(sample, pools=_held(sample, moment.pools))
        for sample, moment in zip(recording.samples, found.timeline, strict=True)
    ]
    story = Story(f"{recording.path.name}, simulated", settings, found.ladder)
    _told(story, _decided(by_time(samples, found.residencies, ()), found.decisions))
    for mark in recording.marks:
        story.note("mark", mark.text, mark.time)
    return story


def _told(story: Story, lines: Iterable[Line]) -> Story:
    window = OutlookWindow(story.settings)
    for line in lines:
        story.add(window.update(line))
    return story


def _held(sample: Sample, pools: dict[str, Pool]) -> dict[str, Pool | None]:
    return {name: None if pool is None else pools[name] for name, pool in sample.pools.items()}


def _decided(lines: Iterable[Line], decisions: Iterable[Decision]) -> Iterator[Line]:
    """Each decision after the last line that is no later."""
    left = iter(decisions)
    following = next(left, None)
    for line in lines:
        while following is not None and following.time < line.time:
            yield following
            following = next(left, None)
        yield line
    if following is not None:
        yield following
    yield from left
