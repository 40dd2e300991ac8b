"""All that has been told so far, on a clock that never goes back: any moment of it can be looked at again."""

from bisect import bisect_left, bisect_right
from operator import attrgetter
from typing import Any

import msgspec

from ..lines import Mark
from ..outlook import Outlook
from ..rungs import Residency, Rung
from ..settings import Settings
from ..words import Asked, Decision

_SIGNS = {"upgrade": "up", "downgrade": "down", "shed": "shed"}
_time = attrgetter("time")


class Entry(msgspec.Struct, frozen=True):
    """A line of the log. kind: `up`, `down`, `shed`, `mark`, `note`."""

    time: float
    kind: str
    text: str


class Loaded(msgspec.Struct, frozen=True):
    """What was loaded from `time` on. state: as a residency tells it."""

    time: float
    rung: str | None
    state: str


class Story:
    """Outlooks, and what was decided, loaded and remarked among them.

    Where the samples' clock goes back, `times` go on from where they were, so that they only ever grow.

    Args:
        title: what is watched.
        settings: ceilings and durations that the outlooks were made with.
        ladder: rungs, best first.
        pretended: each decision counts as carried out at once, as in a dry run.
        keep: seconds that are remembered; None for all.
    """

    def __init__(
        self, title: str, settings: Settings, ladder: tuple[Rung, ...] = (), *,
        pretended: bool = False, keep: float | None = None,
    ) -> None:  # fmt: skip
        self.title, self.settings, self.ladder, self.pretended = title, settings, ladder, pretended
        self.times: list[float] = []
        self.outlooks: list[Outlook] = []
        self.entries: list[Entry] = []
        self.loaded: list[Loaded] = []
        self._keep = keep
        self._ahead = 0.0
        self._needs: dict[str | None, dict[str, int]] = {rung.name: rung.need for rung in ladder}

    def add(self, item: Any) -> None:
        """Take what was told next; kinds of line that a picture has no place for are left out."""
        if type(item) is Outlook:
            self._look(item)
        elif isinstance(item, Residency):
            self._reside(item)
        elif isinstance(item, Decision):
            self.entries.append(Entry(self._now(item.time), _SIGNS[item.kind], item.explain()))
            if self.pretended:
                self._reside(Residency(item.time, "empty" if item.target is None else "ready", item.target))
        elif isinstance(item, Mark):
            self.note("mark", item.text, self._now(item.time))
        elif isinstance(item, Asked):
            self.note("note", f"The app asks for a smaller rung: {item.reason}", self._now(item.time))

    def note(self, kind: str, text: str, time: float) -> None:
        """Put a remark at its time among what was told; `time` is one of the story's own."""
        self.entries.insert(bisect_right(self.entries, time, key=_time), Entry(time, kind, text))

    def index(self, time: float) -> int:
        """Of the newest outlook at `time`; -1 before the first."""
        return bisect_right(self.times, time) - 1

    def told(self, time: float) -> list[Entry]:
        """The log up to `time`, the newest last."""
        return self.entries[: bisect_right(self.entries, time, key=_time)]

    def loaded_at(self, time: float) -> Loaded | None:
        """None where that isn't known."""
        at = bisect_right(self.loaded, time, key=_time) - 1
        return self.loaded[at] if at >= 0 else None

    def wall(self, time: float) -> float | None:
        """Seconds since 1970 at `time`, None where the samples don't tell."""
        at = max(0, self.index(time))
        if not self.outlooks or self.outlooks[at].sample.wall <= 0:
            return None
        return self.outlooks[at].sample.wall + time - self.times[at]

    @property
    def begin(self) -> float:
        return self.times[0] if self.times else 0.0

    @property
    def end(self) -> float:
        return self.times[-1] if self.times else 0.0

    def _look(self, outlook: Outlook) -> None:
        if self.times and outlook.time + self._ahead < self.times[-1]:
            self._ahead = self.times[-1] - outlook.time
        self.times.append(outlook.time + self._ahead)
        if self.pretended and self.loaded:
            outlook = outlook.holding(self._needs.get(self.loaded[-1].rung, {}))
        self.outlooks.append(outlook)
        if self._keep is not None and self.times[-1] - self.times[0] > 1.25 * self._keep:
            self._forget(self.times[-1] - self._keep)

    def _reside(self, residency: Residency) -> None:
        time = self._now(residency.time)
        self.loaded.append(Loaded(time, residency.rung, residency.state))
        if residency.failed is not None:
            self.note("note", f"{residency.failed} could not be loaded, or was lost", time)

    def _now(self, time: float) -> float:
        newest = max([*self.times[-1:], *(entry.time for entry in self.loaded[-1:])], default=time)
        return max(time + self._ahead, newest)

    def _forget(self, before: float) -> None:
        at = bisect_left(self.times, before)
        del self.times[:at], self.outlooks[:at]
        del self.entries[: bisect_left(self.entries, before, key=_time)]
        del self.loaded[: max(0, bisect_right(self.loaded, before, key=_time) - 1)]
