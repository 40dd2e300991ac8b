"""A manager over a scripted machine: samples are pushed by hand, models are fakes."""

import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from gearshift.models import Ladder, ModelManager, Options, Outcome
from gearshift.models.hosts import Host
from gearshift.models.hosts.inline import InlineHost
from gearshift.models.testing import FakeModels
from gearshift.pipeline import Pool, Sample, Settings
from reactivex import Subject

TOTAL = 1000 << 20
FOUR = Options(max_new_tokens=4)


class Machine:
    """A manager, and the means to say what its samples are and to wait for its outcomes."""

    dry_run = False

    def __init__(
        self, ladder: Ladder, loader: FakeModels | None = None, *, host: Host | None = None,
        more: Mapping[str, Any] = MappingProxyType({}), **settings: Any,
    ) -> None:  # fmt: skip
        self.source: Subject[Sample] = Subject()
        self.loader = loader or FakeModels()
        self.time = 0.0
        self.settled = threading.Condition()
        self.outcomes: list[Outcome] = []
        self.notices: list[Any] = []
        self.manager = ModelManager(
            ladder,
            Settings(interval=0.1, settle=0, **settings),
            source=self.source,
            host=host or InlineHost(self.loader),
            dry_run=self.dry_run,
            **more,
        )
        self.manager.outcomes.subscribe(self._ended)
        self.manager.notices.subscribe(self.notices.append)
        self.needs = {rung.name: rung.need["ram"] for rung in ladder.rungs()}

    def _ended(self, outcome: Outcome) -> None:
        with self.settled:
            self.outcomes.append(outcome)
            self.settled.notify_all()

    def push(self, external: int | None, *, seconds: int = 1) -> None:
        for _ in range(seconds):
            self.time += 1
            own = self.needs.get(self.manager.rung or "", 0)
            pool = None if external is None else Pool(TOTAL, external + own, own)
            self.source.on_next(Sample(self.time, {"ram": pool}))

    def until(self, holds: Callable[[], bool]) -> None:
        with self.settled:
            assert self.settled.wait_for(holds, timeout=20), self.outcomes

    def load(self, external: int = 0) -> None:
        self.push(external)
        self.until(lambda: self.outcomes != [])


def shortage(machine: Machine, rung: str) -> int:
    """External use at which `rung` is the best that fits under the ceiling."""
    return int(0.8 * TOTAL) - machine.needs[rung] - 1
