"""What was decided and why, the newest first."""

from .spans import Line, fitted, wrapped
from .story import Entry, Story
from .wording import moment

_WORDS = {"up": "up", "down": "down", "shed": "unload", "mark": "mark", "note": "note"}
_TIME, _KIND = 9, 7


def log(story: Story, position: float, scroll: int, width: int, rows: int) -> list[Line]:
    """A title and `rows` - 1 lines of what was told up to `position`, from the line `scroll` on."""
    if rows <= 0:
        return []
    told = story.told(position)
    decided = sum(entry.kind in ("up", "down", "shed") for entry in told)
    title: Line = [("decisions", "strong"), (f"  {decided} so far, the newest first", "dim")]
    lines: list[Line] = []
    for entry in reversed(told):
        if len(lines) >= scroll + rows - 1:
            break
        lines += _entry(story, entry, width)
    hidden = min(scroll, max(0, len(lines) - 1))
    if hidden:
        title.append((f"  ({hidden} lines above)", "dim"))
    shown = lines[hidden : hidden + rows - 1]
    if not told:
        shown = [[("none yet", "dim")]][: rows - 1]
    blank: Line = [("", "")]
    return [fitted(line, width) for line in [title, *shown, *[blank] * (rows - 1 - len(shown))]]


def log_length(story: Story, position: float, width: int) -> int:
    """Lines that the log has, without its title."""
    return sum(len(_entry(story, entry, width)) for entry in story.told(position))


def _entry(story: Story, entry: Entry, width: int) -> list[Line]:
    first, *rest = wrapped(entry.text, width - _TIME - _KIND)
    head: Line = [(f"{moment(story, entry.time):<{_TIME}}", "dim"), (f"{_WORDS[entry.kind]:<{_KIND}}", entry.kind)]
    return [[*head, (first, "")], *([(" " * (_TIME + _KIND), ""), (line, "")] for line in rest)]
