"""A manager on a machine with everything that can be measured, which shifts, answers and fails."""

import threading
import time
from contextlib import AbstractContextManager, suppress

from gearshift.models import Ladder, ModelManager, Options, Outcome
from gearshift.models.replies.limits import ReplyTimeout
from gearshift.models.testing import FakeHost, FakeModels
from gearshift.pipeline import Device, Pool, Pressure, Sample, Settings
from reactivex import Subject

from tests.waiting import meanwhile

TOTAL = 1000 << 20
SHORT = Options(max_new_tokens=8)
DEADLINE = 60


def settle(manager: ModelManager) -> None:
    """Until all subscribers have been told of what has happened so far."""
    assert manager.scaler.teller is not None
    manager.scaler.teller.told()


class Shifting:
    """Its samples are pushed by hand; `medium` can't be loaded."""

    def __init__(self, ladder: Ladder, *, gap: float = 10.0) -> None:
        self.source: Subject[Sample] = Subject()
        self.needs = {rung.name: rung.need["ram"] for rung in ladder.rungs()}
        self.slow = threading.Event()
        self.host = FakeHost(FakeModels(broken=("medium",), gate=self._pause))
        settings = Settings(
            interval=0.1, settle=0, gap=gap, stabilisation=10, confirm=0, patience=0, retry=0, max_shifts_per_hour=9999
        )
        self.manager = ModelManager(ladder, settings, source=self.source, host=self.host)
        self.outcomes: list[Outcome] = []
        self.manager.outcomes.subscribe(self.outcomes.append)
        self.time = 0.0

    def _pause(self) -> None:
        time.sleep(0.002 if self.slow.is_set() else 0.0)

    def push(self, external: int | None, *, missing: tuple[str, ...] = ()) -> None:
        self.time += 1
        own = self.needs.get(self.manager.rung or "", 0)
        ram = None if external is None else Pool(TOTAL, external + own, own)
        self.source.on_next(
            Sample(
                self.time,
                {"ram": ram, "cuda:0": Pool(TOTAL, TOTAL // 2)},
                devices={"cuda:0": Device(0.5, 61.0, 120.0, ecc_errors=2)},
                pressure={"memory": Pressure(0.25, 0.0)},
                missing=missing,
            )
        )

    def push_until(self, external: int, rung: str) -> None:
        ends = time.monotonic() + DEADLINE
        while self.manager.rung != rung:
            assert time.monotonic() < ends, self.outcomes
            self.push(external)
            time.sleep(0.002)

    def fail(self) -> None:
        """Leave room for `medium`, and for no more, until its load has failed."""
        failed, ends = sum(o.kind == "failed" for o in self.outcomes), time.monotonic() + DEADLINE
        while sum(o.kind == "failed" for o in self.outcomes) == failed:
            assert time.monotonic() < ends, self.outcomes
            self.push(int(0.76 * TOTAL) - self.needs["medium"])
            time.sleep(0.002)

    @property
    def shortage(self) -> int:
        """External use at which only `small` fits."""
        return int(0.8 * TOTAL) - self.needs["medium"] + 1

    def turn(self) -> None:
        """Up, an answer, down, an answer of the smaller rung, one that fails, a load that fails, no time left."""
        self.push_until(0, "large")
        self.manager.respond("Hi", options=SHORT)
        self.push_until(self.shortage, "small")
        self.manager.respond("Hi", options=SHORT)
        self.slow.set()
        with suppress(ReplyTimeout):
            self.manager.respond("Hi", options=Options(max_new_tokens=5000), timeout=0.01)
        self.slow.clear()
        self.fail()
        self.push(int(0.8 * TOTAL) - self.needs["small"] + 1, missing=("nvml",))
        settle(self.manager)

    def turning(self) -> AbstractContextManager[None]:
        """Turns go on meanwhile. What fails there fails here."""
        return meanwhile(self.turn)
