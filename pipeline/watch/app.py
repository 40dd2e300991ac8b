"""The picture on a terminal, and its keys; live and played back alike."""

import asyncio
import contextvars
import logging
import signal
import sys
from collections.abc import Callable
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType

from ..printable import clean
from .board import Board, View
from .canvas import Canvas
from .heading import WINDOWS
from .screens import AskMark, Help
from .spans import ASCII, COLOURLESS
from .story import Story
from .wording import moment

Caller = Callable[[Callable[[], None]], None]


def caller() -> Caller:
    """Hands work of any thread to the loop that runs now, within the context that is current now."""
    loop, context = asyncio.get_running_loop(), contextvars.copy_context()

    def call(work: Callable[[], None]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(work, context=context)

    return call


class WatchApp(App[None]):
    """Draws a story at the position that a subclass keeps."""

    ENABLE_COMMAND_PALETTE = False
    CSS = "Screen { background: ansi_default; overflow: hidden; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("space", "pause", "pause"),
        ("plus,equals_sign", "window(1)", "longer window"),
        ("minus", "window(-1)", "shorter window"),
        ("w", "window(0)", "next window"),
        ("m", "mark", "mark"),
        ("up", "scroll(-1)", "scroll up"),
        ("down", "scroll(1)", "scroll down"),
        ("question_mark,f1", "help", "help"),
        ("q,ctrl+c,ctrl+q", "quit", "quit"),
    ]

    recorded = False

    def __init__(self, story: Story, *, window: float) -> None:
        super().__init__(ansi_color=True)
        self.animation_level = "none"
        self.story, self.window = story, window
        self.windows = [*WINDOWS] if self.recorded else [found for found in WINDOWS if found <= 3600.0]
        self.paused, self.log_scroll = False, 0
        self.canvas = Canvas(self.redraw)
        self._board = Board(story)
        self._logged = _Logged(self)

    def compose(self) -> ComposeResult:
        yield self.canvas

    def on_mount(self) -> None:
        if not self._encoding().startswith("utf"):
            self._board.glyphs = ASCII
        elif self.no_color:
            self._board.glyphs = COLOURLESS
        self._logged.call = caller()
        logging.getLogger("gearshift").addHandler(self._logged)
        if not self.is_headless:
            for number in (signal.SIGTERM, signal.SIGHUP):
                if signal.getsignal(number) is not signal.SIG_IGN:
                    asyncio.get_running_loop().add_signal_handler(number, self.exit)

    def on_unmount(self) -> None:
        logging.getLogger("gearshift").removeHandler(self._logged)

    def _encoding(self) -> str:
        """Of the terminal: the console that renders has none of its own."""
        if self.is_headless or sys.__stderr__ is None:
            return self.console.encoding
        return sys.__stderr__.encoding.lower()

    def view(self) -> View:
        """What to show now."""
        raise NotImplementedError

    def marked(self, text: str, position: float) -> None:
        """Somebody has put a remark at a time of the story."""
        self.story.note("mark", text, position)
        self.redraw()

    def redraw(self) -> None:
        width, height = self.canvas.size
        if width and height:
            self.canvas.show(self._board.draw(self.view(), width, height))

    def action_pause(self) -> None:
        self.paused = not self.paused
        self.redraw()

    def action_window(self, by: int) -> None:
        windows = self.windows
        at = windows.index(self.window)
        self.window = windows[(at + 1) % len(windows) if by == 0 else min(max(at + by, 0), len(windows) - 1)]
        self.redraw()

    def action_scroll(self, by: int) -> None:
        most = self._board.log_length(self.view(), self.canvas.size.width) - 1
        self.log_scroll = max(0, min(self.log_scroll + by, most))
        self.redraw()

    def action_help(self) -> None:
        self.push_screen(Help(recorded=self.recorded))

    def action_mark(self) -> None:
        if not self.story.times:
            return
        position = self.view().position

        def keep(text: str | None) -> None:
            if text is not None:
                self.marked(text, position)

        self.push_screen(AskMark(moment(self.story, position)), keep)


class _Logged(logging.Handler):
    """What the package warns of, as remarks in the picture: anything printed would spoil the screen."""

    def __init__(self, app: WatchApp) -> None:
        super().__init__(logging.WARNING)
        self._app = app
        self.call: Caller = lambda _work: None

    def emit(self, record: logging.LogRecord) -> None:
        if hasattr(record, "gearshift_kind"):  # a decision, which is told as such
            return
        text = clean(record.getMessage())

        def note() -> None:
            self._app.story.note("note", text, self._app.story.end)
            self._app.redraw()

        self.call(note)
