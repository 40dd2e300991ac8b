"""Replies' holds on what is loaded: nothing is unloaded under one."""

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from ...pipeline.words import Decision
from ..hosts import Model
from ..ladders.ladder import ModelSpec
from ..replies.generation import Brake


class Loaded:
    """A rung in memory.

    decision: which loaded it. held: bytes by pool that it was measured to hold then. lost: its host has told so.
    """

    def __init__(self, spec: ModelSpec, model: Model, decision: Decision, held: dict[str, int]) -> None:
        self.spec, self.model, self.decision, self.held = spec, model, decision, held
        self.lost = False

    @property
    def name(self) -> str:
        return self.spec.name


class Lease:
    """A reply's hold on a resident model. `brake` tells the reply to end; one that is stopped leases anew."""

    def __init__(self, spec: ModelSpec, model: Model) -> None:
        self.spec, self.model, self.brake = spec, model, Brake()
        self.thread = threading.get_ident()


class Leases:
    """What is loaded, and who holds it. `changed` guards every field, and is told of each change.

    current: what answers. kept: what stays loaded beside it, or is it. coming: an action is under way or waits.
    draining, urgent: no new leases, because the replies in progress are waited for, or an immediate decision waits.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.current: Loaded | None = None
        self.kept: Loaded | None = None
        self.coming = self.draining = self.urgent = self.closed = False
        self._held: dict[Lease, Loaded] = {}

    @property
    def rung(self) -> str | None:
        with self.changed:
            return self.current.name if self.current is not None else None

    @contextmanager
    def leased(self, timeout: float | None = None) -> Iterator[Lease | None]:
        """Hold what is loaded, waiting for a shift to end for `timeout` seconds at most, by default without end.

        None when that has passed, when nothing is loaded and nothing is on its way, and after the end.
        """
        lease = None
        with self.changed:
            self.changed.wait_for(lambda: self._free or self._pointless, timeout)
            if self._free and self.current is not None:
                lease = Lease(self.current.spec, self.current.model)
                self._held[lease] = self.current
        try:
            yield lease
        finally:
            if lease is not None:
                with self.changed:
                    del self._held[lease]
                    self.changed.notify_all()

    @property
    def _free(self) -> bool:
        return self.current is not None and not (self.draining or self.urgent or self.closed)

    @property
    def _pointless(self) -> bool:
        return self.closed or (self.current is None and not self.coming)

    def mine(self) -> bool:
        """Does the calling thread hold one?"""
        with self.changed:
            return any(lease.thread == threading.get_ident() for lease in self._held)

    def on(self, loaded: Collection[Loaded] | None = None) -> list[Lease]:
        """The leases on these, by default on all."""
        with self.changed:
            return [lease for lease, held in self._held.items() if loaded is None or held in loaded]

    def stop(self, loaded: Collection[Loaded] | None = None) -> None:
        """Replies on these, by default all, are to stop at the next token."""
        for lease in self.on(loaded):
            lease.brake.stop()

    def wind_up(self, loaded: Collection[Loaded], tokens: int) -> None:
        """Replies on these are to end with a sentence, within so many tokens."""
        for lease in self.on(loaded):
            lease.brake.wind_up(tokens)

    def drained(self, loaded: Collection[Loaded], unless: Callable[[], bool] = lambda: False) -> bool:
        """Wait until nobody holds these. False when `unless` came true first."""
        with self.changed:
            self.changed.wait_for(lambda: unless() or not self.on(loaded))
            return not self.on(loaded)
