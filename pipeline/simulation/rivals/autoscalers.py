"""Autoscalers of replicas, with a rung in place of a number of replicas.

Both answer one question, "which rung holds use at the target?", and differ in how they wait. Replicas scale up because
load is high, which is urgent; here the urgent direction is a smaller rung and the relaxing one a larger rung, so each
delay is taken for the direction of the same urgency. Neither scales below one replica: the smallest rung is kept.
"""

from collections import Counter, deque
from collections.abc import Sequence

from ....operators.rolling import RollingExtreme
from ...rungs import Rung
from ...settings import Settings
from .rival import UNCHANGED, Rival, Wanted


class HorizontalPodAutoscaler(Rival):
    """Kubernetes' rule: the rung at the target, unless use is within the tolerance of it.

    A smaller rung is taken at once, a larger one when every recommendation of the window allowed it: growth goes to
    the smallest of them. The rung that is loaded counts as recommended at the moment of its load.

    Args:
        target: use to reach, a fraction; 80 %, as `metrics` of autoscaling/v2 default to for CPU.
        tolerance: nothing changes while use / target is within 1 ± tolerance (0.1,
            `--horizontal-pod-autoscaler-tolerance`).
        shrink_window, grow_window: seconds of recommendations that count (0 and 300, `stabilizationWindowSeconds` of
            scaleUp and scaleDown).
        sync: seconds between evaluations (15, `--horizontal-pod-autoscaler-sync-period`).

    Source: kubernetes.io, "Horizontal Pod Autoscaling"; API reference of HPAScalingRules v2.
    """

    name = "kubernetes hpa"

    def __init__(
        self,
        ladder: Sequence[Rung],
        settings: Settings,
        *,
        target: float = 0.80,
        tolerance: float = 0.10,
        shrink_window: float = 0.0,
        grow_window: float = 300.0,
        sync: float = 15.0,
    ) -> None:
        super().__init__(ladder, settings)
        self._target, self._tolerance, self._sync = target, tolerance, sync
        self._windows = shrink_window, grow_window
        self._synced_at = float("-inf")
        self._recommend_anew()

    def _recommend_anew(self) -> None:
        shrink, grow = self._windows
        self._largest = RollingExtreme[int](shrink, largest=True)
        self._smallest = RollingExtreme[int](grow, largest=False)

    def on_sample(self, time: float) -> Wanted:
        if self.loaded is None:
            self._recommend_anew()
            self._synced_at = time
            first = self.best(self._target) or self.ladder[-1]
            self._recommend(first, time)
            return first
        if time - self._synced_at < self._sync:
            return UNCHANGED
        self._synced_at = time
        recommended = self.loaded
        if abs(self.used() / self._target - 1) > self._tolerance:
            recommended = self.best(self._target) or self.ladder[-1]
        allowed, forced = self._recommend(recommended, time)
        rank = self._rank(self.loaded)
        return self._at(allowed if allowed > rank else forced if forced < rank else rank)

    def _recommend(self, rung: Rung, time: float) -> tuple[int, int]:
        rank = self._rank(rung)
        return self._smallest.update(rank, time), self._largest.update(rank, time)

    def _rank(self, rung: Rung) -> int:
        return len(self.ladder) - 1 - self.ladder.index(rung)

    def _at(self, rank: int) -> Rung:
        return self.ladder[len(self.ladder) - 1 - rank]


class RayServe(Rival):
    """Ray Serve's rule: the rung at the target for the mean of the last seconds, once it is wanted for long enough.

    A wish in the other direction, or none, starts the wait anew. The first load, and the one after a kill, do not
    wait (its cold start).

    Args:
        target: use to reach, a fraction.
        shrink_delay: seconds (30, `upscale_delay_s`). grow_delay: seconds (600, `downscale_delay_s`).
        look_back: seconds of use to average (30, `look_back_period_s`).

    Source: docs.ray.io, `ray.serve.config.AutoscalingConfig`; `_apply_delay_logic` in serve/autoscaling_policy.py.
    """

    name = "ray serve"

    def __init__(
        self,
        ladder: Sequence[Rung],
        settings: Settings,
        *,
        target: float = 0.80,
        shrink_delay: float = 30.0,
        grow_delay: float = 600.0,
        look_back: float = 30.0,
    ) -> None:
        super().__init__(ladder, settings)
        self._target, self._look_back = target, look_back
        self._delays = {True: grow_delay, False: shrink_delay}
        self._seen: deque[tuple[float, dict[str, int]]] = deque()
        self._sums: Counter[str] = Counter()
        self._growing: bool | None = None
        self._since = float("-inf")

    def on_sample(self, time: float) -> Wanted:
        wanted = self.best(self._target, self._means(time)) or self.ladder[-1]
        if self.loaded is None:
            return wanted
        growing = None if wanted is self.loaded else self.better(wanted, self.loaded)
        if growing is None or growing != self._growing:
            self._growing, self._since = growing, time
        if growing is None or time - self._since < self._delays[growing]:
            return UNCHANGED
        self._growing = None
        return wanted

    def _means(self, time: float) -> dict[str, float]:
        assert self.pools is not None
        self._seen.append((time, {name: pool.external for name, pool in self.pools.items()}))
        self._sums.update(self._seen[-1][1])
        while self._seen[0][0] < time - self._look_back:
            self._sums.subtract(self._seen.popleft()[1])
        return {name: total / len(self._seen) for name, total in self._sums.items()}
