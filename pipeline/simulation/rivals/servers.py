"""Model servers for one machine: they load when asked, and unload when idle or short of memory."""

from collections.abc import Sequence

from ...rungs import Rung
from ...settings import Settings
from ...words import Decision
from .rival import UNCHANGED, Rival, Wanted


class _Server(Rival):
    """Knows when it was last asked, whether or not it can answer."""

    def __init__(self, ladder: Sequence[Rung], settings: Settings) -> None:
        super().__init__(ladder, settings)
        self._asked_at = float("-inf")

    def request(self, time: float) -> Decision | None:
        self._asked_at = time
        return super().request(time)

    def _idle(self, time: float, seconds: float) -> bool:
        return time - self._asked_at >= seconds


class _Evictor(_Server):
    """Loads the best rung at a request, untested; looks every `poll` seconds whether it has to go."""

    def __init__(self, ladder: Sequence[Rung], settings: Settings, *, threshold: float, poll: float) -> None:
        super().__init__(ladder, settings)
        self._threshold, self._poll = threshold, poll
        self._polled_at = float("-inf")

    def on_request(self, time: float) -> Wanted:  # noqa: ARG002
        return self.ladder[0]

    def on_sample(self, time: float) -> Wanted:
        if time - self._polled_at < self._poll:
            return UNCHANGED
        self._polled_at = time
        return None if self.evicts(time) else UNCHANGED

    def evicts(self, time: float) -> bool:
        """At a look: must what is loaded go?"""
        raise NotImplementedError


class LoadTimeOnly(_Server):
    """Ollama's rule: memory is looked at when a model must be loaded, and not again while it is there.

    A request with nothing loaded takes the best rung that needs at most `share` of what is free at the last sample,
    else the smallest if it fits at all, else none. Favourable to it: Ollama leaves the choice between rungs to its
    user, and tests the share only beside other models. After a kill the next request loads anew.

    Args:
        share: of the free memory, a fraction (0.80: above `freeMemory*80/100` it evicts first).
        keep_alive: seconds without a request until the model is unloaded (300, `OLLAMA_KEEP_ALIVE`).

    Source: ollama, server/sched.go and docs/faq.
    """

    name = "ollama"

    def __init__(
        self, ladder: Sequence[Rung], settings: Settings, *, share: float = 0.80, keep_alive: float = 300.0
    ) -> None:
        super().__init__(ladder, settings)
        self._share, self._keep_alive = share, keep_alive

    def on_request(self, time: float) -> Wanted:  # noqa: ARG002
        if self.loaded is not None or self.pools is None:
            return UNCHANGED
        free = {name: pool.total - pool.used for name, pool in self.pools.items()}
        for rung, share in [*((rung, self._share) for rung in self.ladder), (self.ladder[-1], 1.0)]:
            if all(need <= share * free[name] for name, need in rung.need.items()):
                return rung
        return UNCHANGED

    def on_sample(self, time: float) -> Wanted:
        return None if self._idle(time, self._keep_alive) else UNCHANGED


class Lemonade(_Evictor):
    """Lemonade's rule with `auto_evict`: unload when all programs together pass the threshold, load at a request.

    The preferred model is the best rung. A load is not tested against memory, since Lemonade limits the number of its
    models and not their bytes. It evicts no model in use: the shift is planned, so that a reply is finished first.

    Args:
        threshold: use of the fullest pool, a fraction (0.90, `auto_evict_threshold_pct`); reached counts.
        poll: seconds between looks (2). idle: seconds without a request until it unloads (300, `evict_idle_timeout`).

    Source: lemonade-sdk/lemonade, src/cpp/server/eviction_engine.cpp, global_vram_monitor.cpp, runtime_config.cpp.
    """

    name = "lemonade"

    def __init__(
        self,
        ladder: Sequence[Rung],
        settings: Settings,
        *,
        threshold: float = 0.90,
        poll: float = 2.0,
        idle: float = 300.0,
    ) -> None:
        super().__init__(ladder, settings, threshold=threshold, poll=poll)
        self._idle_for = idle

    def evicts(self, time: float) -> bool:
        return self.used() >= self._threshold or self._idle(time, self._idle_for)


class LocalAI(_Evictor):
    """LocalAI's memory reclaimer: unload when use is above the threshold, load at a request.

    The preferred model is the best rung; a load is not tested against memory. It skips a busy model, so the shift is
    planned. Its idle check is off by default, so an idle model stays.

    Args:
        threshold: use of the fullest pool, a fraction. 0.95 is the default of `--memory-reclaimer-threshold`, 0.80
            that of `DefaultMemoryReclaimerThreshold`.
        poll: seconds between looks (0.5, `--watchdog-interval`).

    Source: mudler/LocalAI, pkg/model/watchdog.go, watchdog_options.go, and its reference of the command line.
    """

    name = "localai"

    def __init__(
        self, ladder: Sequence[Rung], settings: Settings, *, threshold: float = 0.95, poll: float = 0.5
    ) -> None:
        super().__init__(ladder, settings, threshold=threshold, poll=poll)

    def evicts(self, time: float) -> bool:  # noqa: ARG002
        return self.used() > self._threshold
