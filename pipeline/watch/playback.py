"""A recording played back, with seeking."""

import time
from typing import ClassVar

from textual.binding import BindingType

from .app import WatchApp
from .board import View
from .heading import WINDOWS
from .story import Story

_TICK = 0.2  # seconds between pictures
_SPEEDS = (0.125, 1024.0)


class PlaybackApp(WatchApp):
    """Plays a story from its beginning, `speed` seconds of it in one second.

    Any position can be gone to at once, and shows what playing up to it shows.
    """

    recorded = True
    BINDINGS: ClassVar[list[BindingType]] = [
        ("left", "seek(-10)", "10 s back"),
        ("right", "seek(10)", "10 s on"),
        ("shift+left", "seek(-60)", "a minute back"),
        ("shift+right", "seek(60)", "a minute on"),
        ("pageup", "part(-0.1)", "a tenth back"),
        ("pagedown", "part(0.1)", "a tenth on"),
        ("home", "part(-1)", "to the beginning"),
        ("end", "part(1)", "to the end"),
        ("greater_than_sign,full_stop", "faster(2)", "twice as fast"),
        ("less_than_sign,comma", "faster(0.5)", "half as fast"),
    ]

    def __init__(self, story: Story, *, speed: float = 1.0) -> None:
        length = min(story.end - story.begin, 300.0)
        super().__init__(story, window=next(window for window in WINDOWS if window >= length))
        self.speed, self.position = speed, story.begin
        self._ticked = 0.0

    def on_mount(self) -> None:
        self._ticked = time.monotonic()
        self.set_interval(_TICK, self.tick)

    def view(self) -> View:
        state = "end" if self.position >= self.story.end else "paused" if self.paused else ""
        return View(
            self.position, self.window, self.log_scroll, state, speed=self.speed, paused=self.paused
        )  # fmt: skip

    def tick(self) -> None:
        """Go on by the time that has passed, unless paused."""
        now = time.monotonic()
        passed, self._ticked = now - self._ticked, now
        if not self.paused and self.position < self.story.end:
            self.go(self.position + passed * self.speed)

    def go(self, position: float) -> None:
        """Show the story at `position`, within its bounds."""
        self.position = min(max(position, self.story.begin), self.story.end)
        self.redraw()

    def action_seek(self, seconds: float) -> None:
        self.log_scroll = 0
        self.go(self.position + seconds)

    def action_part(self, share: float) -> None:
        self.action_seek(share * (self.story.end - self.story.begin))

    def action_faster(self, times: float) -> None:
        self.speed = min(max(self.speed * times, _SPEEDS[0]), _SPEEDS[1])
        self.redraw()
