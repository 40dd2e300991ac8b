"""Telling subscribers on threads that nobody waits for."""

import logging
import threading
import time
from collections import deque
from typing import Any

import reactivex
from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, Disposable

log = logging.getLogger("gearshift.pipeline")

PATIENCE = 1.0
"""Seconds that a subscriber may hold up the others."""
KEPT = 1000
"""Items that wait for a subscriber that blocks, at most: the newest."""


class _Ear:
    """One subscription. by: the thread that is inside of its `on_next`. waiting: what came meanwhile."""

    def __init__(self, observer: abc.ObserverBase[Any]) -> None:
        self.observer = observer
        self.by: threading.Thread | None = None
        self.waiting: deque[Any] = deque(maxlen=KEPT)
        self.gone = False

    def hear(self, item: Any) -> None:
        if self.gone:
            return
        try:
            self.observer.on_next(item)
        except Exception:
            log.exception("a subscriber raised and was dropped; the stream goes on")
            self.gone = True


class Teller:
    """Tells the subscribers of several streams, in the order in which the items came, one after another.

    That is done by a thread that lives as long as there is something to tell. A subscriber that keeps it for `PATIENCE`
    seconds is left alone with it: another thread goes on with the others, and of what comes for that one meanwhile it
    gets the newest `KEPT` items afterwards. Thread-safe; whoever pushes items never waits.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: deque[tuple[_Ear, Any]] = deque()
        self._put = self._handled = 0
        self._leader: threading.Thread | None = None
        self._deputy: threading.Thread | None = None
        self._since: float | None = None  # when the leader's present call began
        self._threads: list[threading.Thread] = []
        self._held: set[threading.Thread | None] = set()  # by subscribers, while others went on

    def aside(self, source: Observable[Any]) -> Observable[Any]:
        """The same items, told here. A subscriber that raises is logged and dropped."""

        def subscribe(
            observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            ear = _Ear(observer)

            def leave() -> None:
                ear.gone = True

            wire = source.subscribe(lambda item: self._tell(ear, item), observer.on_error, scheduler=scheduler)
            return CompositeDisposable(wire, Disposable(leave))

        return reactivex.create(subscribe)

    @property
    def inside(self) -> bool:
        """Is the calling thread inside of a subscriber that is told from here?"""
        with self._changed:
            return threading.current_thread() in self._threads

    def drop(self) -> None:
        """Tell nothing of what still waits."""
        with self._changed:
            self._handled += len(self._queue)
            self._queue.clear()
            self._changed.notify_all()

    def told(self, seconds: float = 5.0) -> None:
        """Wait until all that was put so far is told, but to a subscriber that blocks. Not at all from inside."""
        if self.inside:
            return
        with self._changed:
            wanted = self._put
            self._changed.wait_for(lambda: self._handled >= wanted, seconds)

    def wait(self, seconds: float = 5.0) -> None:
        """Until that, and until the threads are gone but for those that subscribers hold; or so long."""
        end = time.monotonic() + seconds
        self.told(seconds)
        with self._changed:
            inside = threading.current_thread() in self._threads
            threads = [] if inside or self._queue else [each for each in self._threads if each not in self._held]
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _tell(self, ear: _Ear, item: Any) -> None:
        with self._changed:
            if ear.gone:
                return
            self._queue.append((ear, item))
            self._put += 1
            if self._leader is None or not self._leader.is_alive():  # in a child that the app forked it isn't
                self._since = None
                self._leader = self._start(self._lead)
            self._guard()

    def _start(self, work: Any) -> threading.Thread:
        self._threads = [each for each in self._threads if each.is_alive()]
        thread = threading.Thread(target=work, name="gearshift-teller", daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _guard(self) -> None:
        """Others wait while a subscriber has the leader: somebody must look at the time."""
        waits = self._queue and self._since is not None
        if waits and (self._deputy is None or not self._deputy.is_alive()):
            self._deputy = self._start(self._stand_by)

    def _lead(self) -> None:
        me = threading.current_thread()
        while True:
            with self._changed:
                if self._leader is not me:
                    return
                if not self._queue:
                    self._leader = None
                    self._changed.notify_all()
                    return
                ear, item = self._queue.popleft()
                if ear.by is not None and ear.by.is_alive():
                    ear.waiting.append(item)
                    self._handled += 1
                    continue
                ear.by, self._since = me, time.monotonic()
                self._guard()
            self._call(ear, item, me)

    def _call(self, ear: _Ear, item: Any, me: threading.Thread) -> None:
        try:
            ear.hear(item)
            while (more := self._more(ear)) is not None:
                ear.hear(more[0])
        finally:
            with self._changed:
                self._held.discard(me)
                if ear.by is me:
                    ear.by = None
                if self._leader is me:  # else whoever took over has counted it
                    self._handled += 1
                    self._since = None
                self._changed.notify_all()

    def _more(self, ear: _Ear) -> tuple[Any] | None:
        with self._changed:
            if ear.waiting:
                return (ear.waiting.popleft(),)
            ear.by = None  # before anything else can be put aside for it
            return None

    def _stand_by(self) -> None:
        with self._changed:
            while True:
                if self._leader is None:
                    self._deputy = None  # here and below: whoever looks from now on sees that none stands by
                    return
                held = 0.0 if self._since is None else time.monotonic() - self._since
                if held >= PATIENCE:
                    break
                self._changed.wait(PATIENCE - held)
            if not self._queue:
                self._deputy = None
                return
            log.warning("a subscriber has not returned for %g s; the others are told without it", PATIENCE)
            self._held.add(self._leader)
            self._leader, self._deputy, self._since = threading.current_thread(), None, None
            self._handled += 1
            self._changed.notify_all()
        self._lead()
