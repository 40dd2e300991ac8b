"""What stands below the plots: which rung was loaded, what happened, and when."""

from .plot import MARGIN
from .spans import Line
from .story import Story
from .wording import lasting, moment

_SIGNS = {"up": "u", "down": "d", "shed": "s", "mark": "m"}


def rungs_row(story: Story, position: float, window: float, width: int) -> Line | None:
    """For each column the place of the rung on the ladder, `-` for nothing, `~` on its way; None where none is told."""
    if not story.loaded:
        return None
    count = width - MARGIN
    step = window / count
    last = int(position // step)
    ranks = {rung.name: str(place) if place < 10 else "+" for place, rung in enumerate(story.ladder, 1)}
    marks: list[str] = []
    for number in range(last - count + 1, last + 1):
        found = story.loaded_at(min((number + 1) * step, position)) if (number + 1) * step > story.begin else None
        if found is None:
            marks.append(" ")
        elif found.state == "shifting":
            marks.append("~")
        else:
            marks.append("-" if found.rung is None else ranks.get(found.rung, "?"))
    return [(f"{'rung':<{MARGIN}}", "dim"), ("".join(marks), "own")]


def axis(story: Story, position: float, window: float, width: int) -> Line:
    """Letters where something was decided or marked; where they leave room, the time at the beginning of the window."""
    count = width - MARGIN
    step = window / count
    last = int(position // step)
    begin = f"{moment(story, position - window)} " if position - window >= story.begin else f"{lasting(window)} ago "
    events: dict[int, tuple[str, str]] = {}
    for entry in story.told(position):
        at = int(entry.time // step) - (last - count + 1)
        if entry.kind in _SIGNS and 0 <= at < count:
            events[at] = (_SIGNS[entry.kind], entry.kind)
    label = begin if min(events, default=count) >= len(begin) else ""
    cells = [events.get(at, (label[at : at + 1] or " ", "dim")) for at in range(count)]
    return [(f"{'events':<{MARGIN}}", "dim"), *cells]
