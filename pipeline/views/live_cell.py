"""A scaler's live picture in a notebook: a widget that works only while somebody can see it."""

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets
from reactivex.disposable import CompositeDisposable, SerialDisposable

from ..outlook import Outlook
from ..samples import Sample
from ..words import Decision
from .live_picture import LivePicture
from .palette import DARK, LIGHT
from .sharing import begin, leave

if TYPE_CHECKING:
    from ..scaler import ProactiveScaler

_APART = 0.5  # seconds between two updates, at least
_PATIENCE = 9  # pings that may be missed: a page in the background is let ping once a minute
_LINGER = 2.0  # seconds from the last view's end to the cell's, as a cell that is moved gets a new view
_FOLDER = Path(__file__).parent


class LiveCell(anywidget.AnyWidget):
    """Follows a scaler while a view of it is on a page, and ends with the last view; see `ProactiveScaler.watch`.

    A page that has gone without a word pauses it until it is seen again. status: `waiting` for a view, `live`,
    `paused`, `ended`, `failed`. Thread-safe.

    Args:
        scaler: whose streams to draw.
        window: seconds that the picture reaches back.
        ping: seconds between two signs of life of a page.
    """

    _esm = _FOLDER / "live_cell.js"
    _css = _FOLDER / "live_cell.css"
    picture = traitlets.Dict().tag(sync=True)
    status = traitlets.Unicode("waiting").tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)
    palettes = traitlets.Dict({"light": LIGHT._asdict(), "dark": DARK._asdict()}).tag(sync=True)
    ping = traitlets.Float().tag(sync=True)

    def __init__(self, scaler: "ProactiveScaler", window: float = 60.0, *, ping: float = 10.0) -> None:
        super().__init__(ping=ping)
        self._scaler = scaler
        self._drawn = LivePicture(window, scaler.settings)
        self._guard = threading.RLock()
        self._views: set[str] = set()
        self._wires: CompositeDisposable | None = None  # while it follows
        self._life = SerialDisposable()  # of the monitoring
        self._timer: asyncio.TimerHandle | None = None
        self._silent, self._sent = 0, 0.0
        self.on_msg(self._told)

    def __repr__(self) -> str:
        return f"<LiveCell: {self.status}>"

    def close(self) -> None:
        """End it and take it off the page. Harmless when repeated."""
        self._finish("ended")
        super().close()

    def _told(self, _: Any, content: Any, __: Any) -> None:
        """A view's words: `seen` at first and at each ping, `gone` at its end."""
        view = str(content.get("view"))
        if content.get("kind") == "seen":
            self._seen(view)
        elif content.get("kind") == "gone":
            self._gone(view)

    def _seen(self, view: str) -> None:
        with self._guard:
            if self.status in ("ended", "failed"):
                return
            self._silent, begun = 0, self.status == "live"
            self._views.add(view)
            self._again(self.ping, self._look_for_views)
            self.status = "live"
        if not begun:
            self._follow()

    def _gone(self, view: str) -> None:
        with self._guard:
            self._views.discard(view)
            later = bool(self._views) or self._again(_LINGER, self._close_unseen)
        if not later:
            self.close()

    def _close_unseen(self) -> None:
        if not self._views:
            self.close()

    def _look_for_views(self) -> None:
        """Counts turns of the kernel's loop, not seconds: a kernel that computes for long hears no ping meanwhile."""
        with self._guard:
            self._silent += 1
            if self._silent <= _PATIENCE:
                self._again(self.ping, self._look_for_views)
                return
            self._views.clear()
        self._finish("paused")

    def _again(self, seconds: float, call: Callable[[], None]) -> bool:
        """Call it on the kernel's loop in so many seconds, instead of what was to be called before.

        False where no loop runs.
        """
        with self._guard:
            self._no_timer()
            try:
                self._timer = asyncio.get_running_loop().call_later(seconds, call)
            except RuntimeError:
                return False
            return True

    def _no_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _follow(self) -> None:
        scaler = self._scaler
        wires = CompositeDisposable()
        with self._guard:
            self._wires = wires
        wires.add(scaler.outlooks.subscribe(self._shielded(self._drawn.update)))
        wires.add(scaler.decisions.subscribe(self._shielded(self._drawn.decided)))
        try:
            begin(scaler, self)
        except Exception as error:
            self._fail(error)
            raise
        # after the start, so that a sample's decision has been made when its picture is drawn
        wires.add(scaler.samples.subscribe(self._shielded(self._sampled)))
        self._life.disposable = scaler.monitoring.subscribe(on_completed=self._monitoring_ended)

    def _monitoring_ended(self) -> None:
        leave(self._scaler, self)  # there is nothing to stop
        self._finish("ended")

    def _shielded(self, take: Callable[[Any], None]) -> Callable[[Any], None]:
        def on_next(item: Outlook | Decision | Sample) -> None:
            try:
                take(item)
            except Exception as error:
                self._fail(error)
                raise

        return on_next

    def _sampled(self, _: Sample) -> None:
        now = time.monotonic()
        if now - self._sent >= _APART:
            self._sent = now
            self._draw()

    def _draw(self) -> None:
        self.picture = self._drawn.told(self._scaler.rung)

    def _fail(self, error: Exception) -> None:
        self.problem = f"{type(error).__name__}: {error}"
        self._finish("failed")

    def _finish(self, status: str) -> None:
        """Stop following, and monitoring where that was for this cell. One that is paused hears of monitoring's end."""
        with self._guard:
            wires, self._wires = self._wires, None
            self._no_timer()
            if self.status not in ("ended", "failed"):
                self.status = status
        stop = leave(self._scaler, self)
        if stop or status != "paused":
            self._life.disposable = None
        if wires is None:
            return
        wires.dispose()
        if stop:
            self._scaler.stop_continuous_monitoring()
        if status == "ended":
            self._draw()
