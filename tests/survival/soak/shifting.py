"""Shifts by the thousand, with real models in worker processes and replies in between and across."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
from gearshift.models import Ladder, ModelManager, Options, Outcome
from gearshift.models.hosts.process import ProcessHost
from gearshift.pipeline import Decision, Pool, Sample, Settings, event_time
from gearshift.pipeline.telemetry import PrometheusMetrics
from prometheus_client import CollectorRegistry
from reactivex import Subject

from tests.waiting import meanwhile

from .flatness import Bound, Growth, growths
from .measuring import Book, Gauge, left_behind

BOUNDS = {
    "rss": Bound(1 << 20, 1 << 20),
    "uss": Bound(1 << 20, 1 << 20),
    "held": Bound(256 << 10, 64 << 10),
    "blocks": Bound(2000, 1000),
    "objects": Bound(500, 300),
    "server": Bound(1 << 20, 1 << 20),
    "kept": Bound(0, 4096),
}
"""Growth that is allowed, per 1,000 shifts: bytes, and numbers of objects."""

READINGS = 200
ROOMY = 1 << 44  # bytes of a machine on which everything fits
CAUTION = Settings(
    interval=0.5, high=0.95, hysteresis=0.02, critical=0.98, settle=0.0, stabilisation=5.0, retry=5.0,
    max_shifts_per_hour=1_000_000,
)  # fmt: skip
_STEP = 0.5  # seconds of event time from one sample to the next
_PACE = 0.05  # seconds, of event time as on the clock
_DAY = 200_000  # samples within which growth must come
_PATIENCE = 120.0
_KILL_EVERY, _FORGET_EVERY = 20, 10  # shifts


class Shifter:
    """A manager on a scripted machine, and the means to make it shift. Counts what it meets."""

    def __init__(self, ladder: Ladder, folder: Path) -> None:
        self.shifts = self.replies = self.killed = 0
        self.lost: list[str] = []
        self.wrong: list[str] = []
        self.growths: list[Growth] = []
        self.seconds = 0.0
        self._source: Subject[Sample] = Subject()
        self._time = event_time()
        self._changed = threading.Condition()
        self._decided = False
        self._loop = asyncio.new_event_loop()
        self.manager = ModelManager(
            ladder, CAUTION, source=self._source, host=ProcessHost(rungs=ladder), cache=folder, system="Be brief."
        )
        self.manager.outcomes.subscribe(self._ended)
        self.manager.decisions.subscribe(self._decide)
        self.manager.notices.subscribe(lambda _: None)
        self._metrics = PrometheusMetrics(CollectorRegistry())
        self._metrics.follow(self.manager)

    def _decide(self, _: Decision) -> None:
        self._decided = True

    def _ended(self, outcome: Outcome) -> None:
        with self._changed:
            self.shifts += outcome.kind in ("loaded", "handed over")
            self._changed.notify_all()

    @property
    def broken(self) -> int:
        """Promises: what is asked for comes, nothing is left behind, nothing grows."""
        return len(self.wrong) + sum(each.broken for each in self.growths)

    def scrape(self) -> None:
        self._metrics.exposition()

    def push(self, step: float = _STEP) -> None:
        self._time += step
        self._source.on_next(Sample(self._time, {"ram": Pool(ROOMY, 0, 0)}, interval=step))

    def grow(self) -> None:
        """Let time pass until a better rung is decided on, and wait until it answers."""
        before, self._decided = self.shifts, False
        for _ in range(_DAY):
            self.push()
            if self._decided:
                break
        self._until(lambda: self.shifts > before, "growth")

    def shrink(self, *, immediate: bool) -> None:
        before = self.shifts
        self.push()
        if self.manager.scaler.initiate_graceful_degradation(f"shift {before}", immediate=immediate) is None:
            self.wrong.append(f"no downgrade from {self.manager.rung} after shift {before}")
        self._until(lambda: self.shifts > before, "a downgrade")

    def shrink_amid(self, *, kill: bool) -> None:
        """A reply that is asked to move on, or whose worker is killed, once a few pieces of it have come."""
        before, pieces = self.shifts, list[str]()

        def take(piece: str) -> None:
            pieces.append(piece)
            if len(pieces) != 3:
                return
            if kill:
                self.killed += self._kill()
            else:
                self.manager.scaler.initiate_graceful_degradation(f"amid {before}", immediate=True)

        with self._sampling():
            self._answered(lambda: self.manager.respond("Tell me more.", self._talk, options=_LONG, on_text=take))
            self._until(lambda: self.shifts > before, "a shift amid a reply")

    def _sampling(self) -> AbstractContextManager[None]:
        """Samples go on meanwhile, at their own pace, as after a loss it is they who bring the next rung."""
        return meanwhile(lambda: self.push(_PACE), _PACE)

    def ask(self) -> None:
        """One reply, by one of the ways there are."""
        way = self.replies % 4
        if way == 0:
            self._answered(lambda: self.manager.respond("What is this?", self._talk, options=_SHORT))
        elif way == 1:
            asking = self.manager.generate_response("And that?", self._talk, options=_SHORT)
            self._answered(lambda: self._loop.run_until_complete(asking))
        elif way == 2:
            self._answered(lambda: self._loop.run_until_complete(self._streamed(leave=False)))
        else:
            self._answered(lambda: self._loop.run_until_complete(self._streamed(leave=True)))

    async def _streamed(self, *, leave: bool) -> str:
        pieces: list[str] = []
        async with self.manager.stream_response("Go on.", self._talk, options=_SHORT) as stream:
            async for piece in stream:
                pieces.append(piece)
                if leave:
                    break
        return "".join(pieces)

    @property
    def _talk(self) -> str:
        return f"talk {self.shifts // _FORGET_EVERY}"

    def forget(self) -> None:
        """An app's own visitors leave, too."""
        self.manager.forget(f"talk {self.shifts // _FORGET_EVERY - 1}")

    def _answered(self, ask: Callable[[], str]) -> None:
        self.replies += 1
        try:
            if not ask():
                self.lost.append(f"reply {self.replies} was empty")
        except Exception as error:  # noqa: BLE001 - whatever it was, a reply was lost by it
            self.lost.append(f"reply {self.replies}: {type(error).__name__}: {error}")

    def _kill(self) -> int:
        """The workers, which are the fork server's children."""
        found = [each for child in psutil.Process().children() for each in child.children()]
        for worker in found:
            os.kill(worker.pid, signal.SIGKILL)
        return len(found)

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        with self._changed:
            if not self._changed.wait_for(holds, _PATIENCE):
                raise TimeoutError(f"{what} did not come within {_PATIENCE:g} s after shift {self.shifts}")

    def close(self) -> None:
        self.manager.shutdown()
        self._metrics.close()
        self._loop.close()


_SHORT, _LONG = Options(max_new_tokens=6), Options(max_new_tokens=40)


def shift(shifts: int, ladder: Ladder, folder: Path, *, book: Path, stop: threading.Event | None = None) -> Shifter:
    """Make so many, or fewer when `stop` is set. folder: for what is remembered. book: for readings."""
    folder.mkdir(exist_ok=True)
    kept, gauge = Book(book), Gauge(folder)
    shifter = Shifter(ladder, folder)
    began, read = time.monotonic(), 0
    bottom = ladder[-1].name
    try:
        shifter.grow()
        while shifter.shifts < shifts and not (stop is not None and stop.is_set()):
            kill = shifter.shifts % _KILL_EVERY >= _KILL_EVERY - 3 and shifter.manager.rung == ladder[0].name
            if shifter.manager.rung == bottom:
                shifter.grow()
            elif kill or shifter.manager.rung != ladder[0].name:
                shifter.shrink_amid(kill=kill)
            else:
                shifter.shrink(immediate=shifter.shifts % 2 == 0)
            shifter.ask()
            shifter.forget()
            if shifter.shifts - read >= shifts / READINGS:
                read = shifter.shifts
                shifter.scrape()
                kept.add(gauge.read(read))
    finally:
        shifter.close()
        shifter.seconds = time.monotonic() - began
    shifter.wrong += left_behind()
    shifter.growths = growths(Book.read(book), BOUNDS, per=1000)
    return shifter
