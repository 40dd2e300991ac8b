"""What nodes tell, as Observables, for whoever watches a fleet."""

import logging
import threading
import time

from ray.serve.handle import DeploymentHandle
from reactivex import Observable, Subject

from ...pipeline.fleet.standing import Standing
from ...pipeline.fleet.view import KINDS, NodeItem
from ...pipeline.teller import Teller

log = logging.getLogger("gearshift.serve")

_WAIT = 5.0
"""Seconds that a question to the view waits there for news."""
_LATE = 10.0
"""Further seconds after which it counts as unanswered."""
_AGAIN = 1.0


class Watching:
    """Asks the view of a fleet for news, from a thread of its own, until `close`.

    While the view can't be reached, what was told last stands; then it goes on with what is told from there on.

    Args:
        state: the handle of the view.
        silence: seconds after which a node of which nothing is told counts as gone.
    """

    def __init__(self, state: DeploymentHandle, silence: float) -> None:
        self._state, self._silence = state, silence
        self._teller = Teller()
        self._subjects: dict[str, Subject[NodeItem]] = {kind: Subject() for kind in KINDS}
        self._streams = {kind: self._teller.aside(subject) for kind, subject in self._subjects.items()}
        self._standings: dict[str, tuple[float, Standing]] = {}
        self._asked = time.monotonic()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gearshift-fleet", daemon=True)
        self._thread.start()

    @property
    def standings(self) -> dict[str, Standing]:
        """The newest by node, of those that were heard of lately when the view answered last."""
        asked = self._asked
        return {node: told for node, (at, told) in self._standings.items() if asked - at <= self._silence}

    def of(self, kind: str) -> Observable[NodeItem]:
        """All that is told of one of `KINDS`, from subscription on; a subscriber may block, raise or take its time."""
        return self._streams[kind]

    def close(self) -> None:
        """Ask no more; nothing further is told. Idempotent."""
        self._end.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(_WAIT + _LATE)
        self._teller.wait()

    def _run(self) -> None:
        epoch, after, failing = "", None, False
        while not self._end.is_set():
            wanted = {"standings", *(kind for kind, subject in self._subjects.items() if subject.observers)}
            try:
                asked = self._state.poll.remote(epoch, after, sorted(wanted), _WAIT)
                try:
                    told, batch = asked.result(timeout_s=_WAIT + _LATE)
                except TimeoutError:
                    asked.cancel()
                    raise
            except Exception as error:  # noqa: BLE001 - whatever keeps it from answering, it is asked again
                if not failing:
                    log.warning("the fleet's view does not answer; what it told last stands: %s", error)
                failing = True
                self._end.wait(_AGAIN)
                continue
            if batch.missed:
                log.warning("%d items of the fleet were missed, as they came too fast", batch.missed)
            self._asked = time.monotonic()
            if told != epoch:
                self._standings = {}
            epoch, after, failing = told, batch.after, False
            for item in batch.items:
                self._tell(item)

    def _tell(self, told: NodeItem) -> None:
        if isinstance(told.item, Standing):
            self._standings = {**self._standings, told.node: (self._asked, told.item)}
        for kind, subject in self._subjects.items():
            if isinstance(told.item, KINDS[kind]):
                subject.on_next(told)
