"""A node's own pipeline, told to the fleet: it goes on by itself whether or not anybody listens."""

import logging
import threading
from collections import deque
from collections.abc import Callable

from reactivex import Observable
from reactivex import operators as ops

from ..rungs import Residency
from ..scaler import ProactiveScaler
from ..words import Decision
from .standing import Standing, standing
from .view import Told

log = logging.getLogger("gearshift.pipeline")

_KEPT = 256
"""Decisions and residencies that wait until they can be told; then the oldest go."""


class Reporter:
    """Tells of a node, every `every` seconds, from a thread of its own, until `close`.

    Args:
        node: its name.
        scaler: the pipeline there.
        send: gets what there is to tell; what it fails to send is told the next time.
        residencies: what is loaded there; nothing by default.
        waiting: says how many replies are in line there.
        assistant: is a model kept there?
    """

    def __init__(
        self,
        node: str,
        scaler: ProactiveScaler,
        send: Callable[[list[Told]], object],
        *,
        residencies: Observable[Residency] | None = None,
        waiting: Callable[[], int] = lambda: 0,
        assistant: bool = True,
        every: float = 1.0,
    ) -> None:
        self._node, self._scaler, self._send, self._waiting = node, scaler, send, waiting
        self._assistant, self._every = assistant, every
        self._events: deque[Decision | Residency] = deque(maxlen=_KEPT)
        self._residency = Residency(float("-inf"))
        self._told: float | None = None
        self._failing = False
        self._end = threading.Event()
        self._wires = [scaler.decisions.subscribe(self._events.append)]
        if residencies is not None:
            self._wires.append(residencies.pipe(ops.do_action(self._reside)).subscribe(self._events.append))
        self._thread = threading.Thread(target=self._run, name="gearshift-reporter", daemon=True)
        self._thread.start()

    @property
    def standing(self) -> Standing:
        """As of now."""
        scaler = self._scaler
        seen = scaler.analyze_resource_trends()
        return standing(
            self._node, seen, self._residency, scaler.ladder, scaler.settings, waiting=self._waiting(),
            assistant=self._assistant,
        )  # fmt: skip

    def close(self) -> None:
        """Tell no more. Idempotent."""
        for wire in self._wires:
            wire.dispose()
        self._end.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(5)

    def _reside(self, residency: Residency) -> None:
        self._residency = residency

    def _run(self) -> None:
        unsent: list[Decision | Residency] = []
        while not self._end.wait(self._every):
            unsent = [*unsent, *(self._events.popleft() for _ in range(len(self._events)))][-_KEPT:]
            try:
                seen = self._scaler.analyze_resource_trends()
                news = [seen] if seen.time != self._told else []
                self._send([*news, *unsent, self.standing])
            except Exception as error:  # noqa: BLE001 - whatever keeps the fleet from hearing must not end the telling
                if not self._failing:
                    log.warning("the fleet can't be told of %s; it goes on by itself: %s", self._node, error)
                self._failing = True
            else:
                self._told, self._failing, unsent = seen.time, False, []
