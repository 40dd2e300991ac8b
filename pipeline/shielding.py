"""What keeps one subscriber's failure from the others."""

import logging
from typing import Any

import reactivex
from reactivex import Observable, abc
from reactivex.disposable import SerialDisposable

log = logging.getLogger("gearshift.pipeline")


def shielded(subject: Observable[Any]) -> Observable[Any]:
    """The same items; an observer whose `on_next` raises is logged and dropped, and can't end the stream for others."""

    def subscribe(observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
        def on_next(item: Any) -> None:
            try:
                observer.on_next(item)
            except Exception:
                log.exception("a subscriber raised and was dropped; the stream goes on")
                own.dispose()

        own = SerialDisposable()
        own.disposable = subject.subscribe(on_next, observer.on_error, observer.on_completed, scheduler=scheduler)
        return own

    return reactivex.create(subscribe)
