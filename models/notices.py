"""What the end user is told: only after a loss, in plain words, with something that would help."""

import psutil
from msgspec import Struct

from ..pipeline.words import GIB, Decision


class Notice(Struct, frozen=True):
    """text: what changed. suggestions: what would help. time: of the decision, seconds."""

    time: float
    text: str
    suggestions: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join((self.text, *self.suggestions))


def biggest_others(count: int = 1) -> list[tuple[str, int]]:
    """Name and resident bytes of the largest processes besides this one."""
    found = []
    for process in psutil.process_iter(["pid", "name", "memory_info"]):
        info = process.info
        if info["pid"] != psutil.Process().pid and info["memory_info"] is not None:
            found.append((info["name"] or f"process {info['pid']}", info["memory_info"].rss))
    return sorted(found, key=lambda each: -each[1])[:count]


def notice_for(decision: Decision) -> Notice | None:
    """None unless capability is lost."""
    if decision.kind == "upgrade":
        return None
    if decision.target is None:
        text = "Memory on this machine has run out, so the assistant is paused until some is free."
    else:
        text = f"Memory on this machine is getting short, so answers now come from a smaller model ({decision.target})."
    helps = [
        f"Closing {name}, which holds {size / GIB:.1f} GiB, would help."
        for name, size in biggest_others()
        if size > GIB // 20
    ]
    return Notice(decision.time, text, tuple(helps or ["Closing programs that you don't need would help."]))
