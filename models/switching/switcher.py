"""Decisions to actions, one at a time, on a thread of its own. The latest desired state wins."""

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

from ...pipeline.settings import Settings
from ...pipeline.sources import event_time
from ...pipeline.words import Decision
from ..hosts import Host
from ..ladders.ladder import Ladder
from .acting import Acting
from .leases import Lease, Leases
from .loads import Loads
from .orders import Orders
from .outcomes import Outcome, Told
from .room import Needs, Pools, Room

log = logging.getLogger("gearshift.models")

__all__ = ["Lease", "Outcome", "Switcher"]


class Switcher:
    """Loads what is decided, hands over, and gives memory back.

    A planned shift loads before it unloads where both fit by a fresh reading; else it unloads first, when no reply
    holds the model any more. An immediate one stops replies at the next token and always unloads first. Nothing is
    loaded that does not fit by then.

    Args:
        ladder: what may be loaded.
        host: where it is loaded.
        needs: tells what rungs need, and learns what they took.
        pools: takes a fresh reading of pools by name.
        settings: its limits.
        keep: the name of a rung that stays loaded beside what answers, where there is room: shifting to it takes no
            load, and when what answers is lost, it answers.
        finish_tokens: tokens that a reply in progress may still write before its rung is left for a smaller one.
        mark: is called with the rung that memory could run out with from now on, before it is loaded.
        clock: seconds on the clock of the samples.

    `outcomes` tells how each decision ended, once each, and later that what it loaded was lost. `residencies` tells
    what is loaded, in order. Both come from the switcher's thread. Raises ValueError.
    """

    def __init__(
        self,
        ladder: Ladder,
        host: Host,
        needs: Needs,
        pools: Pools,
        settings: Settings,
        *,
        keep: str | None = None,
        finish_tokens: int = 64,
        mark: Callable[[str | None], None] = lambda _: None,
        clock: Callable[[], float] = event_time,
    ) -> None:
        names = [spec.name for spec in ladder]
        if keep is not None and keep not in names:
            raise ValueError(f"keep must name a rung of the ladder ({', '.join(names)}), got keep={keep!r}")
        if finish_tokens <= 0:
            raise ValueError(f"finish_tokens must be above 0, got finish_tokens={finish_tokens!r}")
        self._leases = Leases()
        self._orders = Orders(self._leases)
        self._loads = Loads(host, self._leases, self._orders)
        self._told = Told(clock, lambda: self._leases.rung)
        self._marked = mark
        self.outcomes, self.residencies = self._told.outcomes, self._told.residencies
        self._acting = Acting(
            ladder,
            self._leases,
            self._orders,
            self._loads,
            needs,
            Room(pools, needs, settings),
            self._told,
            settings,
            keep=keep,
            finish_tokens=finish_tokens,
            mark=self._mark,
            clock=clock,
        )
        self._thread = threading.Thread(target=self._run, name="gearshift-switcher", daemon=True)
        self._thread.start()

    @property
    def rung(self) -> str | None:
        """What answers."""
        return self._leases.rung

    @property
    def kept(self) -> str | None:
        """What is kept loaded, when it is."""
        with self._leases.changed:
            return self._leases.kept.name if self._leases.kept is not None else None

    @property
    def idle(self) -> bool:
        """Nothing is under way and nothing waits."""
        return self._orders.idle

    def submit(self, decision: Decision) -> None:
        """Never blocks. After `close` nothing is taken any more, and nothing told."""
        if self._orders.put(decision) and decision.urgency == "immediate":
            self._leases.stop()

    def leased(self, timeout: float | None = None) -> AbstractContextManager[Lease | None]:
        """Hold what is loaded, waiting for a shift to end: for `timeout` seconds at most, by default without end.

        None when that has passed, when nothing is loaded and nothing is on its way, and after `close`.
        """
        return self._leases.leased(timeout)

    def close(self) -> None:
        """Stop replies, end the action under way, unload, and end the thread.

        Idempotent, from any thread. Where the calling thread holds a lease, or is the switcher's own (in a subscriber),
        it does not wait: the rest follows once the lease, or the call, has ended.
        """
        self._orders.close()
        self._leases.stop()
        if threading.current_thread() is not self._thread and not self._leases.mine():
            self._thread.join()

    def _run(self) -> None:
        while self._round():
            pass

    def _round(self) -> bool:
        """Tell what has come up and act on the latest decision. False at the end."""
        decision = None
        self._orders.begin()
        try:
            for overtaken in self._orders.superseded():
                self._told.superseded(overtaken)
            self._acting.take_in_losses()
            if self._orders.closed:
                self._end()
                return False
            decision = self._orders.take()
            if decision is not None:
                self._acting.act(decision)
                self._acting.keep_one(decision)
        except Exception:
            log.exception("after %s; the next decision is served", decision.explain() if decision else "a loss")
        finally:
            self._orders.done()
        return True

    def _end(self) -> None:
        loaded = self._loads.all()
        self._leases.drained(loaded)
        with self._leases.changed:
            self._leases.current = None
        for each in loaded:
            self._loads.unload(each)
        if loaded:
            self._told.residency()
        self._mark(None)

    def _mark(self, rung: str | None) -> None:
        try:
            self._marked(rung)
        except Exception:
            log.exception("%s could not be marked; the shift goes on", rung or "an end")
