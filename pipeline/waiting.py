"""A wait that an alarm can cut short."""

import select
import socket
import threading

from .probes.alarm import AlarmProbe


class Waiter:
    """Waits for a time, for `stop()`, or for an alarm to ring; on systems without poll, for the first two only."""

    def __init__(self, alarm: AlarmProbe | None) -> None:
        self._alarm = alarm if alarm is not None and alarm.offered and hasattr(select, "poll") else None
        self._stop = threading.Event()
        self._wake = socket.socketpair() if self._alarm is not None else None

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def wait(self, seconds: float, *, at_least: float = 0.0) -> None:
        """Return after `seconds`, at `stop()`, or when the alarm rings, but for that not before `at_least` seconds."""
        if self._alarm is None or self._wake is None or not self._alarm.offered:
            self._stop.wait(max(0.0, seconds))
            return
        first = max(0.0, min(seconds, at_least))
        if not self._stop.wait(first):
            self._alarm.listen(max(0.0, seconds - first), self._wake[0].fileno())

    def stop(self) -> None:
        self._stop.set()
        if self._wake is not None:
            self._wake[1].close()

    def close(self) -> None:
        if self._wake is not None:
            self._wake[0].close()
