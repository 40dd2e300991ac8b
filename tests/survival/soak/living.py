"""A soak on this machine: real probes, real workers, talk without end, and a neighbour that comes and goes."""

import random
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from gearshift.models import Ladder, ModelManager, NoRungFits, Options, Outcome
from gearshift.models.demo import hog
from gearshift.models.demo.story import base_of
from gearshift.models.hosts.process import ProcessHost
from gearshift.models.needs.remembered import Needs
from gearshift.pipeline import Outlook, Settings
from gearshift.pipeline.telemetry import PrometheusMetrics
from prometheus_client import CollectorRegistry

from .flatness import LEAST, Bound, Growth, growths
from .measuring import Book, Gauge, Reading, left_behind

MIB = 1 << 20
BOUNDS = {
    "rss": Bound(4 * MIB, 2 * MIB),
    "uss": Bound(4 * MIB, 2 * MIB),
    "held": Bound(1 * MIB, 256 << 10),
    "blocks": Bound(10_000, 2_000),
    "objects": Bound(2_000, 500),
    "server": Bound(2 * MIB, 1 * MIB),
    "kept": Bound(0, 4096),
}
"""Growth that is allowed, per hour: bytes, and numbers of objects."""

_BRIEF = 2.0  # minutes: a run that is shorter sees a few shifts only, and ends in any part of one
_WITHIN_A_CYCLE = {"threads": Bound(0, 3), "files": Bound(0, 8), "children": Bound(0, 3)}
READINGS = 400
_WHOLE = 4  # readings to one that takes a collection of garbage
_ROOM = 160 * MIB  # under the ceiling, beside the best rung
_PATIENCE = 120.0  # seconds within which an answer must have come
_TURNS = 20  # questions of one visitor, after whom the app forgets the conversation
_QUESTIONS = ("What is gravity?", "Who discovered it?", "Why do apples fall down?", "What is the Moon?", "Why?")


class Soak:
    """Counts what it meets."""

    def __init__(self, ladder: Ladder, folder: Path, seed: int) -> None:
        self.replies = self.refused = self.shifts = self.hogs = self.samples = 0
        self.lost: list[str] = []
        self.wrong: list[str] = []
        self.growths: list[Growth] = []
        self.seconds = 0.0
        self._over = threading.Event()
        self._draw = random.Random(seed)
        self._host = ProcessHost(rungs=ladder)
        need = {rung.name: rung.need["ram"] for rung in ladder.rungs(Needs(folder / "needs"))}
        self.settings = _settings(base_of(self._host, ladder), max(need.values()))
        self._external: deque[int] = deque(maxlen=40)  # of some seconds: a worker just begun is not in all readings
        self._best, self._least = max(need.values()), min(need.values())
        self._metrics = PrometheusMetrics(CollectorRegistry())
        self.manager = ModelManager(ladder, self.settings, host=self._host, cache=folder)
        self.manager.outcomes.subscribe(self._ended)
        self.manager.scaler.outlooks.subscribe(self._look)
        self._metrics.follow(self.manager)
        self._talking = threading.Thread(target=self._talk, name="visitors")
        self._neighbour = threading.Thread(target=self._come_and_go, name="neighbour")

    def begin(self) -> None:
        self._talking.start()
        self._neighbour.start()

    def close(self) -> None:
        self._over.set()
        for thread in (self._talking, self._neighbour):
            if thread.ident is not None:
                thread.join()
        self.manager.shutdown()
        self._metrics.close()

    @property
    def broken(self) -> int:
        """Promises: nothing is left behind, nothing grows, and it shifts."""
        return len(self.wrong) + sum(each.broken for each in self.growths)

    def scrape(self) -> None:
        self._metrics.exposition()

    def line(self, reading: Reading) -> str:
        told = f"{self.replies:6,} replies  {len(self.lost)} lost  {self.refused} refused"
        done = f"{told}  {self.shifts:4,} shifts  {self.samples:6,} samples"
        memory = f"app {reading.rss / MIB:6.1f} MiB  workers {reading.workers / MIB:7.1f} MiB"
        return f"{reading.at / 60:5.1f} min  {done}  {memory}  {reading.threads} threads  {reading.files} files"

    def _ended(self, outcome: Outcome) -> None:
        self.shifts += outcome.kind in ("loaded", "handed over", "unloaded")

    def _look(self, outlook: Outlook) -> None:
        self.samples += 1
        pool = outlook.pools.get("ram")
        if pool is not None:
            self._external.append(pool.external)

    def _talk(self) -> None:
        while not self._over.is_set():
            visitor, turn = divmod(self.replies, _TURNS)
            if turn == 0:
                self.manager.forget(f"visitor {visitor - 1}")
            self.replies += 1
            try:
                if not self._answer(_QUESTIONS[turn % len(_QUESTIONS)], f"visitor {visitor}"):
                    self.lost.append(f"reply {self.replies} was empty")
            except Exception as error:  # noqa: BLE001 - whatever it was, a reply was lost by it
                self.lost.append(f"reply {self.replies}: {type(error).__name__}: {error}")
            self._over.wait(0.05)

    def _answer(self, question: str, visitor: str) -> str:
        """Where nothing fits that is told at once, and the visitor asks again: it is no loss while an answer comes."""
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                return self.manager.respond(question, visitor, options=Options(max_new_tokens=12))
            except NoRungFits as error:
                self.refused += 1
                if time.monotonic() > until:
                    raise
                self._over.wait(1)
                if self._over.is_set():
                    return error.partial or "the run is over"

    def _come_and_go(self) -> None:
        """A program takes so much that the best rung must go, slowly or at once, stays a while, and ends."""
        while not self._over.wait(self._draw.uniform(1, 4)):
            if not self._external or self.manager.rung != self.manager.ladder[0].name:
                continue
            budget, external = self.settings.budget or 0, max(self._external)
            size = int(self.settings.high * budget) - external - self._best + self._draw.randrange(16, 48) * MIB
            size = min(size, int(self.settings.high * budget) - external - 2 * self._least)
            rate = self._draw.choice((0, 40, 80))
            command = [sys.executable, "-I", "-S", hog.__file__, str(max(1, size // MIB)), str(rate)]
            self.hogs += 1
            with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as program:
                self._over.wait(self._draw.uniform(3, 8))
                assert program.stdin is not None
                program.stdin.close()


def _settings(base: int, best: int) -> Settings:
    """A budget in which the best rung has room, and a neighbour that takes that room makes it go."""
    high = 0.80
    return Settings(
        budget=int((base + best + _ROOM) / high), high=high, hysteresis=0.05, critical=0.92, interval=0.25, window=4,
        horizon=3, confirm=0.5, patience=3, stabilisation=3, recovery=2, settle=0.5, gap=5, retry=5,
        max_shifts_per_hour=1_000_000,
    )  # fmt: skip


def soak(
    minutes: float, seed: int, ladder: Ladder, folder: Path, *, book: Path, say: Callable[[str], None],
    stop: threading.Event | None = None,
) -> Soak:  # fmt: skip
    """Let it run for so long, or until `stop` is set. folder: for what is remembered. say: gets a line a minute."""
    folder.mkdir(exist_ok=True)
    kept, gauge = Book(book), Gauge(folder)
    soaked = Soak(ladder, folder, seed)
    stop = stop or threading.Event()
    every = max(0.25, minutes * 60 / READINGS)
    began = time.monotonic()
    said = count = 0
    whole = _WHOLE if minutes > _BRIEF else 1
    try:
        soaked.begin()
        while not stop.wait(max(0.0, began + (count + 1) * every - time.monotonic())):
            count += 1
            reading = kept.add(gauge.read(time.monotonic() - began, whole=count % whole == 0))
            if reading.at // 60 > said or count == 1:
                said = int(reading.at // 60)
                soaked.scrape()
                say(soaked.line(reading))
            if reading.at >= minutes * 60 and count // whole >= 2 * LEAST:
                break
        if soaked.shifts < 2:
            soaked.wrong.append(f"it shifted {soaked.shifts} times, so that nothing was shown; let it run longer")
    finally:
        soaked.close()
        soaked.seconds = time.monotonic() - began
    soaked.wrong += left_behind()
    soaked.growths = growths(Book.read(book), BOUNDS if minutes > _BRIEF else {**BOUNDS, **_WITHIN_A_CYCLE}, per=3600)
    return soaked
