"""Two thresholds and a cool-down: what a monitoring script does."""

from collections import deque
from collections.abc import Sequence

from ...rungs import Rung
from ...settings import Settings
from .rival import UNCHANGED, Rival, Wanted


class PlainThreshold(Rival):
    """Down a step above 90 % used or under 1 GiB free, up a step below 80 % with 4 GiB free and no rise; never twice in
    five minutes. The smallest rung is kept whatever happens.

    Starts, and starts anew after a kill, with the best rung that keeps use below `low`; while none does it waits.
    Slope: least squares over the last `window` readings, one each `poll` seconds.

    Args:
        high, low: fractions of the fullest pool.
        shrink_free, grow_free: GiB that must be free.
        gib: what one GiB is, as a fraction of a pool's total. The absolutes are meant for a desktop with 16 GiB, where
            1 GiB is 1/16 of the total and 4 GiB are 1/4; as shares they mean the same for a pool of any size.
        cooldown: seconds between any two shifts.
        slope: growth is allowed under it, a fraction of the total a reading.
        window: readings in the slope. poll: seconds between readings.

    Source: the common recipe of psutil scripts: `virtual_memory().percent` against 90 and 80, with a cool-down.
    """

    name = "plain threshold"

    def __init__(
        self,
        ladder: Sequence[Rung],
        settings: Settings,
        *,
        high: float = 0.90,
        low: float = 0.80,
        shrink_free: float = 1.0,
        grow_free: float = 4.0,
        gib: float = 1 / 16,
        cooldown: float = 300.0,
        slope: float = 0.001,
        window: int = 20,
        poll: float = 2.0,
    ) -> None:
        super().__init__(ladder, settings)
        self._high = min(high, 1 - shrink_free * gib)
        self._low, self._grow_free = low, grow_free * gib
        self._cooldown, self._slope, self._poll = cooldown, slope, poll
        self._readings: deque[float] = deque(maxlen=window)
        self._shifted_at = self._read_at = float("-inf")

    def on_sample(self, time: float) -> Wanted:
        if time - self._read_at < self._poll:
            return UNCHANGED
        self._read_at = time
        used = self.used()
        self._readings.append(used)
        if self.loaded is None:
            first = self.best(self._low)
            self._shifted_at = time if first is not None else self._shifted_at
            return first
        if time - self._shifted_at < self._cooldown:
            return UNCHANGED
        rank, step = self.ladder.index(self.loaded), 0
        if used > self._high:
            step = 1
        elif used < self._low and 1 - used >= self._grow_free and self._flat():
            step = -1
        if not (step and 0 <= rank + step < len(self.ladder)):
            return UNCHANGED
        self._shifted_at = time
        return self.ladder[rank + step]

    def _flat(self) -> bool:
        count = len(self._readings)
        if self._readings.maxlen is None or count < self._readings.maxlen:
            return False
        middle, mean = (count - 1) / 2, sum(self._readings) / count
        rise = sum((i - middle) * (y - mean) for i, y in enumerate(self._readings))
        return rise / (count * (count**2 - 1) / 12) < self._slope
