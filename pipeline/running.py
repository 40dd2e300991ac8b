"""Stretches of monitoring, begun and ended from any thread, even from inside what they deliver."""

import os
import threading
import weakref
from collections.abc import Callable
from typing import Any

import reactivex
from reactivex import Observable, Subject, abc
from reactivex.disposable import CompositeDisposable

from .sources import Sampler

_PATIENCE = 10.0  # seconds; a sampler's thread is waited for up to 5 s


class _Inside(threading.local):
    """How many deliveries this thread is inside of."""

    depth = 0

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(self, *_: Any) -> None:
        self.depth -= 1


class Run:
    """One stretch of monitoring.

    over: it was stopped, and delivers nothing more. ended: its streams ended of themselves, so another may begin.
    life: completes with the first of both.
    """

    def __init__(self, inside: _Inside, sampler: Sampler | None) -> None:
        self.sampler = sampler
        self.over = self.ended = False
        self._inside = inside
        self._wires = CompositeDisposable()
        self.life: Subject[None] = Subject()

    def hold(self, wire: abc.DisposableBase) -> None:
        """Dispose of it when the run ends; at once where it has."""
        self._wires.add(wire)

    def relay(self, deliver: Callable[[Any], None]) -> Callable[[Any], None]:
        """`deliver`, until the run is over."""

        def on_next(item: Any) -> None:
            if not self.over:
                with self._inside:
                    deliver(item)

        return on_next

    def end(self) -> None:
        """Its streams have ended of themselves."""
        self.ended = True
        self.life.on_completed()

    def let_go(self) -> None:
        """Of its streams, without telling anyone."""
        self._wires.dispose()

    def dispose(self) -> None:
        self.over = True
        self.let_go()
        self.life.on_completed()


class _Ending:
    """The end of a run, which others may wait for."""

    def __init__(self, run: Run | None, sampler: Sampler | None) -> None:
        self._run, self._sampler = run, sampler
        self._done = threading.Event()
        self.thread: threading.Thread | None = None

    def work(self) -> None:
        try:
            if self._run is not None:
                self._run.dispose()
            if self._sampler is not None:
                self._sampler.close()
        finally:
            self._done.set()

    @property
    def finished(self) -> bool:
        return self._done.is_set() and (self.thread is None or not self.thread.is_alive())

    def wait(self) -> None:
        self._done.wait(_PATIENCE)
        if self.thread is not None:
            self.thread.join(_PATIENCE)


class Runs:
    """At most one run at a time. Thread-safe; no lock is held while anything is delivered or waited for.

    Args:
        make: makes the sampler that is shared by a run and by whoever asks between runs; closed at a stop.
        given: a sampler to use instead, which is never closed here.
    """

    def __init__(self, make: Callable[[], Sampler], given: Sampler | None = None) -> None:
        self._make, self._given = make, given
        self._own: Sampler | None = None
        self._lock = threading.RLock()
        self._inside = _Inside()
        self._current: Run | None = None
        self._endings: list[_Ending] = []
        _all.add(self)

    def sampler(self) -> Sampler:
        """The one given, else one of our own, made when it is needed."""
        with self._lock:
            if self._given is not None:
                return self._given
            if self._own is None:
                self._own = self._make()
            return self._own

    def begin(self, *, sampling: bool) -> Run | None:
        """A new run, with a sampler if `sampling`; None while one goes on."""
        with self._lock:
            before = self._current
            if before is not None and not before.ended:
                return None
            sampler = self.sampler() if sampling else None
            self._current = run = Run(self._inside, sampler)
            ending = self._ending(before, None) if before is not None else None
        if ending is not None:
            self._end(ending)
        return run

    @property
    def life(self) -> Observable[None]:
        """Completes when the present run has ended; at once where there is none."""
        with self._lock:
            return reactivex.empty() if self._current is None else self._current.life

    def stop(self) -> None:
        """End the run, and wait until it and all that others are ending have ended.

        From inside a delivery it returns at once, and a short-lived thread sees to the end: whoever waits there for the
        sampler's thread may be what that thread waits for.
        """
        with self._lock:
            run, self._current = self._current, None
            sampler, self._own = self._own, None
            ending = self._ending(run, sampler)
        self._end(ending)
        if not self._inside.depth:
            with self._lock:
                others = list(self._endings)
            for other in others:
                other.wait()

    def forked(self) -> None:
        """In a child that the app forked no thread of these is left: another run may begin, with what it needs anew."""
        self._lock = threading.RLock()
        run, self._current = self._current, None
        self._own, self._endings = None, []
        if run is not None:
            run.over = True
            run.let_go()

    def _ending(self, run: Run | None, sampler: Sampler | None) -> _Ending:
        if run is not None:
            run.over = True
        ending = _Ending(run, sampler)
        self._endings = [*(e for e in self._endings if not e.finished), ending]
        return ending

    def _end(self, ending: _Ending) -> None:
        if self._inside.depth:
            ending.thread = threading.Thread(target=ending.work, name="gearshift-stop", daemon=True)
            ending.thread.start()
        else:
            ending.work()


_all: "weakref.WeakSet[Runs]" = weakref.WeakSet()


def _forked() -> None:
    for runs in list(_all):
        runs.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
