"""Samples by the million through a whole scaler that is recorded, measured, asked and obeyed."""

import threading
import time
from itertools import islice
from pathlib import Path

from gearshift.pipeline import Decision, Outlook, ProactiveScaler, Settings, record
from gearshift.pipeline.telemetry import PrometheusMetrics
from gearshift.pipeline.testing import GIB, FakeLoader, rungs_of
from prometheus_client import CollectorRegistry

from .flatness import Bound, Growth, growths
from .lasting import Lasting, differs, exact_line
from .measuring import Book, Gauge
from .weather import weather

_PART = 8 << 20  # bytes of a recording, of which two are kept

BOUNDS = {
    "rss": Bound(256 << 10, 256 << 10),
    "uss": Bound(256 << 10, 256 << 10),
    "held": Bound(64 << 10, 64 << 10),
    "blocks": Bound(500, 1000),
    "objects": Bound(100, 200),
    "kept": Bound(0, 2 * _PART),
}
"""Growth that is allowed, per million samples: bytes, and numbers of objects."""

READINGS = 200


class Streamed:
    """What came of it. faults: samples without a reading of memory. wrong: what differs from a fresh computation."""

    def __init__(self) -> None:
        self.samples = self.faults = self.outlooks = self.decisions = 0
        self.newest: Outlook | None = None
        self.wrong: list[str] = []
        self.growths: list[Growth] = []
        self.seconds = 0.0

    def look(self, outlook: Outlook) -> None:
        self.outlooks += 1
        if outlook.pools["ram"] is not None:
            self.newest = outlook

    @property
    def broken(self) -> int:
        """Promises: each sample has an outlook, sums stay right, nothing grows."""
        return (self.outlooks != self.samples) + len(self.wrong) + sum(each.broken for each in self.growths)


def stream(samples: int, seed: int, folder: Path, *, book: Path, stop: threading.Event | None = None) -> Streamed:
    """Let so many samples through, or fewer when `stop` is set. folder: for recordings. book: for readings."""
    loader = FakeLoader(rungs_of(large=6 * GIB, medium=3 * GIB, small=1 * GIB), load_seconds=4.0)
    scaler = ProactiveScaler(loader.ladder, Settings(), loader.samples, residencies=loader.residencies)
    seen, lasting, metrics = Streamed(), Lasting(), PrometheusMetrics(CollectorRegistry())
    recordings = folder / "recordings"
    recordings.mkdir()
    kept, gauge = Book(book), Gauge(recordings)

    def obey(decision: Decision) -> None:
        seen.decisions += 1
        loader.obey(decision)
        loader.decisions.clear()  # it keeps all, for tests that are short

    began = time.monotonic()
    recorded = record(
        scaler.samples, recordings / "run.jsonl", decisions=scaler.decisions, residencies=loader.residencies,
        asked=scaler.asked, ladder=loader.ladder, settings=scaler.settings, max_bytes=_PART, keep=1,
    )  # fmt: skip
    following = metrics.follow(scaler)
    per_reading = max(1000, samples // READINGS)
    with recorded, following, scaler.outlooks.subscribe(seen.look), scaler.decisions.subscribe(obey), scaler:
        for sample in islice(weather(seed), samples):
            loader.push(sample)
            seen.samples += 1
            pool = sample.pools["ram"]
            if pool is None:
                seen.faults += 1
            else:
                lasting.update(float(pool.used), sample.time)
            if seen.samples % 100 == 0:
                scaler.record_performance("generate", 1.0 + sample.time % 1, ok=seen.samples % 700 != 0)
                scaler.check_preflight_resources(tokens=100)
            if seen.samples % 10_000 == 0:
                with scaler.outlooks.subscribe(lambda _: None), scaler.samples.subscribe(lambda _: None):
                    scaler.initiate_graceful_degradation(f"asked at {seen.samples}")
            if seen.samples % per_reading == 0:
                metrics.exposition()
                kept.add(gauge.read(seen.samples))
                if stop is not None and stop.is_set():
                    break
        seen.wrong = [*lasting.wrong(), *_outlook(seen, lasting, scaler.settings.window)]
    metrics.close()
    seen.seconds = time.monotonic() - began
    seen.growths = growths(Book.read(book), BOUNDS, per=1e6)
    return seen


def _outlook(seen: Streamed, lasting: Lasting, window: float) -> list[str]:
    """Does the scaler's own trend differ from one that is computed anew?"""
    pool = seen.newest and seen.newest.pools["ram"]
    if pool is None:
        return ["no outlook of ram was told"]
    return differs("the outlook's trend", pool.trend, exact_line(lasting.last(window)))
