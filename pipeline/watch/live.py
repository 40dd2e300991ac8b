"""This machine, as it is watched."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from reactivex import Subject, abc
from reactivex.disposable import CompositeDisposable

from ..lines import Mark
from ..outlook import Outlook
from ..programs import Process, held_by_name, processes
from ..recording import record
from ..scaler import ProactiveScaler
from ..sources import event_time
from .app import WatchApp, caller
from .board import View
from .story import Story

KEPT = 3600.0
"""Seconds that can be looked back."""

_LOOK = 5.0  # seconds between two looks at the programs, at least
_COSTLY = 400.0  # and so many times what a look takes of a core
_LATE = 3.0  # intervals without a sample, and seconds at least
_OFTEN = 0.25  # seconds between pictures, at least
_MOST = 12  # programs
_WORTH = 10 * 2**20  # bytes from which on one is worth a line


class Programs:
    """The largest programs, looked up now and then."""

    def __init__(self, look: Callable[[], Iterable[Process]] = processes) -> None:
        self._look = look
        self._due = float("-inf")
        self.found: list[tuple[str, int]] = []

    def update(self, now: float) -> None:
        """Look again if that is due, by a clock in seconds."""
        if now < self._due:
            return
        before = time.thread_time()
        self.found = [(name, held) for name, held in held_by_name(self._look()) if held >= _WORTH][:_MOST]
        self._due = now + max(_LOOK, _COSTLY * (time.thread_time() - before))


class LiveApp(WatchApp):
    """Follows a scaler, which it starts and stops.

    Args:
        scaler: decides as in a dry run.
        recording: a file to write samples, decisions and marks to.
        programs: who holds memory.
    """

    def __init__(
        self, scaler: ProactiveScaler, title: str, *, recording: Path | None = None, programs: Programs | None = None
    ) -> None:
        story = Story(title, scaler.settings, tuple(scaler.ladder), pretended=True, keep=KEPT)
        super().__init__(story, window=300.0)
        self._scaler, self._recording = scaler, recording
        self._programs = programs or Programs()
        self._marks: Subject[Mark] = Subject()
        self._wires = CompositeDisposable()
        self._held = 0.0
        self._drawn, self._waiting = float("-inf"), False
        self._recorder: CompositeDisposable | None = None

    def begin_recording(self) -> abc.DisposableBase | None:
        """What ends it; None where no file was named. Raises OSError, ImportError where the file can't be begun."""
        if self._recording is None:
            return None
        scaler = self._scaler
        self._recorder = record(
            scaler.samples, self._recording, decisions=scaler.decisions, marks=self._marks, asked=scaler.asked,
            ladder=scaler.ladder, settings=scaler.settings,
        )  # fmt: skip
        self._wires.add(self._recorder)
        return self._recorder

    def on_mount(self) -> None:
        call = caller()

        def tell(item: Any) -> None:
            call(lambda: self.take(item))

        for stream in (self._scaler.outlooks, self._scaler.decisions):
            self._wires.add(stream.subscribe(tell))
        self._scaler.start_continuous_monitoring()
        self.set_interval(1.0, self._check)

    def on_unmount(self) -> None:
        self._scaler.stop_continuous_monitoring()
        self._wires.dispose()

    def take(self, item: Any) -> None:
        """What the scaler told next."""
        self.story.add(item)
        if self.paused:
            return
        now = event_time()
        if type(item) is Outlook:
            self._programs.update(now)
        left = self._drawn + _OFTEN - now
        if left <= 0:
            self._follow()
        elif not self._waiting:
            self._waiting = True
            self.set_timer(left, self._follow)

    def _follow(self) -> None:
        self._waiting, self._drawn = False, event_time()
        self.redraw()

    def view(self) -> View:
        position = max(self._held, self.story.begin) if self.paused else self.story.end
        recorder = self._recorder
        kept = "" if recorder is None else "recording has ended" if recorder.is_disposed else "recording"
        states = [self.late(event_time()), "paused" if self.paused else "", kept]
        return View(
            position, self.window, self.log_scroll, ", ".join(state for state in states if state),
            self._programs.found, paused=self.paused,
        )  # fmt: skip

    def late(self, now: float) -> str:
        """Says for how long no sample has come; nothing while they come."""
        if not self.story.outlooks:
            return ""
        newest = self.story.outlooks[-1]
        waited = now - newest.time
        due = max(newest.sample.interval or self.story.settings.interval, 1.0)
        return f"no sample for {waited:.0f} s" if waited > _LATE * due else ""

    def marked(self, text: str, position: float) -> None:
        self._marks.on_next(Mark(position, text))
        super().marked(text, position)

    def action_pause(self) -> None:
        self._held = self.story.end
        super().action_pause()

    def _check(self) -> None:
        """Samples that don't come can't bring about a new picture."""
        if not self.paused and self.late(event_time()):
            self.redraw()
