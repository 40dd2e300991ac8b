"""Monitoring that is begun for those who look, and stopped with the last of them."""

import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from ..scaler import ProactiveScaler

_lock = threading.Lock()
_lookers: "WeakKeyDictionary[ProactiveScaler, set[Any]]" = WeakKeyDictionary()
"""By scaler, for whom it monitors; none where its app began that."""


def begin(scaler: "ProactiveScaler", looker: Any) -> None:
    """Monitor for `looker`; monitoring that runs for its app is left as it is."""
    with _lock:
        lookers = _lookers.setdefault(scaler, set())
        lookers.add(looker)  # first: a source may end while it is begun
    began = scaler.start_continuous_monitoring()
    with _lock:
        if not began and lookers == {looker}:
            lookers.clear()


def leave(scaler: "ProactiveScaler", looker: Any) -> bool:
    """`looker` needs it no more. True where nobody else does, so that it should be stopped now."""
    with _lock:
        lookers = _lookers.get(scaler, set())
        if looker not in lookers:
            return False
        lookers.discard(looker)
        return not lookers
