"""Managers that come and go, and what must hold of each when it goes."""

import itertools
import threading
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import psutil
from gearshift.models import Busy, Ladder, ModelError, ModelManager, ModelSpec, NoRungFits, ReplyTimeout, ShutDown
from gearshift.models.hosts import Written
from gearshift.models.testing import FakeHost, FakeModel, fake_ladder
from gearshift.pipeline import ProactiveScaler, Settings

SETTINGS = Settings(interval=0.01, fastest=0.005, settle=0, high=0.97, critical=0.98)
DOCUMENTED = (Busy, ModelError, NoRungFits, ReplyTimeout, ShutDown)
CONVERSATIONS = tuple(f"talk {i}" for i in range(4))


class Count:
    """What happened, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.of: Counter[str] = Counter()
        self.broken: list[str] = []

    def add(self, name: str) -> None:
        with self._lock:
            self.of[name] += 1

    def breach(self, what: str) -> None:
        with self._lock:
            self.broken.append(what)


class Careful(FakeModel):
    """One that tells where it is unloaded under a reply."""

    def __init__(self, spec: ModelSpec, count: Count) -> None:
        super().__init__(spec)
        self._count, self._writing = count, 0

    def generate(self, *args: Any) -> Written:
        self._writing += 1
        try:
            return super().generate(*args)
        finally:
            self._writing -= 1

    def close(self) -> None:
        if self._writing and not self.lost:
            self._count.breach(f"{self.spec.name} was unloaded under a reply")
        super().close()


class Kept:
    """A manager, a scaler that shares its ladder, and what was asked of it. fake: its models have no weights."""

    def __init__(self, ladder: Ladder, folder: Path, count: Count, *, fake: bool) -> None:
        self.fake, self.folder = fake, folder
        self.host = FakeHost(lambda spec: Careful(spec, count)) if fake else None
        self.manager = ModelManager(ladder, SETTINGS, host=self.host, cache=folder, queue=8)
        self.scaler = ProactiveScaler(ladder.rungs(), SETTINGS)
        self.whole: list[tuple[str, str, str]] = []  # conversation, question, answer

    def lose(self) -> bool:
        """Its model is gone from one moment to the next. Was there one?"""
        rung = self.manager.rung
        if self.host is not None and rung is not None:
            try:
                self.host.lose(rung)
            except KeyError:
                return False  # it was unloaded meanwhile
            return True
        servers = psutil.Process().children()  # first, as there must be no server among the workers
        workers = [each for each in psutil.Process().children(recursive=True) if each not in servers]
        for worker in workers[:1]:
            try:
                worker.kill()
            except psutil.NoSuchProcess:
                return False
        return bool(workers)

    def end(self, count: Count) -> None:
        self.scaler.stop_continuous_monitoring()
        self.manager.shutdown()
        for conversation in CONVERSATIONS:
            told = self.manager.history(conversation)
            roles = [turn["role"] for turn in told]
            if roles != ["user", "assistant"] * (len(roles) // 2):
                count.breach(f"turns of {conversation} are mixed up: {roles}")
            turns = Counter((told[i]["content"], told[i + 1]["content"]) for i in range(0, len(told) - 1, 2))
            whole = Counter((asked, answer) for talk, asked, answer in self.whole if talk == conversation)
            if whole - turns:
                count.breach(f"replies are missing in {conversation}: {whole - turns}")
            if self.fake and any(not well_formed(answer) for _, answer in turns):
                count.breach(f"an answer in {conversation} is mixed up: {turns}")


def well_formed(answer: str) -> bool:
    """As a fake writes it, each word once and in its order, whoever wrote which part."""
    return answer == "".join(f"word{i} " for i in range(len(answer.split())))


class Managers:
    """One in each slot; the first with real models. Whoever comes first after an end makes the next."""

    def __init__(self, folder: Path, slots: int, real: Ladder | None, count: Count) -> None:
        self._fakes = fake_ladder(folder / "fakes", large=3 << 20, medium=2 << 20, small=1 << 20)
        self._real, self._count = real, count
        self._folder, self._names = folder, itertools.count()
        self._locks = [threading.Lock() for _ in range(slots)]
        self._kept: list[Kept | None] = [None] * slots
        self.made: list[Kept] = []

    def at(self, slot: int) -> Kept:
        with self._locks[slot]:
            kept = self._kept[slot]
            if kept is None:
                fake = slot > 0 or self._real is None
                ladder = self._fakes if fake or self._real is None else self._real
                folder = self._folder / f"cache {next(self._names)}"
                kept = self._kept[slot] = Kept(ladder, folder, self._count, fake=fake)
                self.made.append(kept)
            return kept

    def end(self, slot: int) -> None:
        """While others are in the midst of it; they find another one afterwards."""
        with self._locks[slot]:
            kept, self._kept[slot] = self._kept[slot], None
        if kept is None:
            return
        again = threading.Thread(target=kept.manager.shutdown) if Random(slot).random() < 0.5 else None
        if again is not None:
            again.start()
        kept.end(self._count)
        if again is not None:
            again.join()

    def end_all(self) -> None:
        """Those too that a late step, or a subscriber, has started again."""
        for slot in range(len(self._locks)):
            self.end(slot)
        for kept in self.made:
            kept.scaler.stop_continuous_monitoring()
            kept.manager.scaler.stop_continuous_monitoring()
