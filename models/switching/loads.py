"""What the host has loaded for us, and loads that can be called off."""

import logging
import threading
from collections.abc import Callable
from typing import NamedTuple

from ...pipeline.words import Decision
from ..failures import LoadError
from ..hosts import Freed, Host, Model
from ..ladders.ladder import ModelSpec
from .leases import Leases, Loaded
from .orders import Loss, Orders

log = logging.getLogger("gearshift.models")

_AGAIN = 0.05  # seconds: a host may not have begun yet when it is first told to end a load


class Failure(NamedTuple):
    """Why a load failed, as text: a kept traceback would keep tensors."""

    reason: str
    out_of_memory: bool


class Loads:
    """Loads and unloads, on one thread, and hears of what is lost, on any."""

    def __init__(self, host: Host, leases: Leases, orders: Orders) -> None:
        self._host, self._leases, self._orders = host, leases, orders
        self._loaded: dict[str, Loaded] = {}
        host.on_lost(self._lost)

    def load(self, spec: ModelSpec, decision: Decision, unwanted: Callable[[], bool]) -> Loaded | Failure:
        """Load it; the host is told to end that as soon as it is `unwanted`."""
        self._orders.lost_unknown(spec.name)
        model = self._cancellable(spec, unwanted)
        if isinstance(model, Failure):
            return model
        try:
            loaded = Loaded(spec, model, decision, self._host.held(spec.name))
        except Exception as error:  # noqa: BLE001 - whatever a host raises, what it loaded must go
            failure = Failure(f"{type(error).__name__}: {error}", False)
        else:
            with self._leases.changed:
                gone = self._orders.lost_unknown(spec.name)
                if gone is None:
                    self._loaded[spec.name] = loaded
                    return loaded
            failure = Failure(f"it was lost as soon as it was loaded: {gone}", False)
        self._unload(spec.name, model)
        return failure

    def unload(self, loaded: Loaded) -> Freed:
        """Nothing for one that is gone already."""
        with self._leases.changed:
            if self._loaded.pop(loaded.name, None) is None:
                return Freed(0, 0)
            if self._leases.kept is loaded:
                self._leases.kept = None
        return self._unload(loaded.name, loaded.model)

    def all(self) -> list[Loaded]:
        with self._leases.changed:
            return list(self._loaded.values())

    def _unload(self, name: str, model: Model) -> Freed:
        try:
            return self._host.unload(name, model)
        except Exception:
            log.exception("unloading %s failed; what it held may still be in use", name)
            return Freed(0, 0)

    def _cancellable(self, spec: ModelSpec, unwanted: Callable[[], bool]) -> Model | Failure:
        changed, ended = self._leases.changed, threading.Event()

        def watch() -> None:
            with changed:
                changed.wait_for(lambda: ended.is_set() or unwanted())
            while not ended.is_set():
                self._host.cancel()
                ended.wait(_AGAIN)

        watching = threading.Thread(target=watch, name="gearshift-load-watch", daemon=True)
        watching.start()
        try:
            return self._host.load(spec)
        except LoadError as error:
            return Failure(str(error), error.out_of_memory)
        except Exception as error:  # noqa: BLE001 - a failed load must not end the thread that all others need
            return Failure(f"{type(error).__name__}: {error}", False)
        finally:
            with changed:
                ended.set()
                changed.notify_all()
            watching.join()  # a cancel that comes late would hit the next load

    def _lost(self, name: str, reason: str) -> None:
        leases = self._leases
        with leases.changed:
            loaded = self._loaded.get(name)
            current = loaded is not None and leases.current is loaded
            if loaded is not None:
                if loaded.lost:
                    return
                loaded.lost = True
                if leases.kept is loaded:
                    leases.kept = None
                if current:
                    leases.current = leases.kept
            self._orders.lost(Loss(name, reason, loaded, current))
        if loaded is not None:
            leases.stop([loaded])
