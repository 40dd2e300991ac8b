"""A scaler that samples quickly, and threads that may not hang."""

import threading
from collections.abc import Callable
from typing import Any

from gearshift.pipeline import Pool, Reading, Sampler, Settings
from gearshift.pipeline.testing import ScriptedProbe, rungs_of

LADDER = rungs_of(500, 300, 100)
QUICK = Settings(interval=0.002, fastest=0.001)


def sampler(*readings: Reading) -> Sampler:
    return Sampler([ScriptedProbe(readings or [Reading(pools={"ram": Pool(1000, 100)})])])


class Within:
    """Runs in a thread, and says what became of it; a deadlock is a failure, not a hang."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.error: BaseException | None = None

        def run() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - told by `ended`
                self.error = error

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def ended(self, seconds: float = 10.0) -> None:
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "deadlock"
        if self.error is not None:
            raise self.error


def sampling() -> int:
    return sum(thread.name == "gearshift-sampler" for thread in threading.enumerate())
