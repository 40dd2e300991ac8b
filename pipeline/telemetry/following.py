"""Managers and scalers that are followed: what each tells, kept until somebody looks."""

import threading
import weakref
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, Disposable

from ..outlook import Outlook
from ..rungs import Residency
from ..scaler import ProactiveScaler
from ..sources import event_time
from ..words import Decision


class Ended(Protocol):
    """How an action ended, of what `models` tells."""

    @property
    def kind(self) -> str: ...
    @property
    def decision(self) -> Decision: ...
    @property
    def time(self) -> float: ...
    @property
    def seconds(self) -> float: ...
    @property
    def waited(self) -> float: ...
    @property
    def unload(self) -> float: ...
    @property
    def load(self) -> float: ...
    @property
    def course(self) -> tuple[tuple[str, float, float], ...]: ...
    @property
    def reason(self) -> str: ...
    @property
    def lost(self) -> bool: ...


class Answered(Protocol):
    """A reply that has ended, of what `models` tells. `error` is the class of what it failed with, or empty."""

    @property
    def error(self) -> str: ...
    @property
    def rung(self) -> str | None: ...
    @property
    def degraded(self) -> bool: ...
    @property
    def end(self) -> str: ...
    @property
    def tokens(self) -> int: ...
    @property
    def prompt_tokens(self) -> int | None: ...
    @property
    def seconds(self) -> float: ...
    @property
    def first_seconds(self) -> float | None: ...


class Manager(Protocol):
    """What is followed of a `ModelManager`, or of an app's own."""

    @property
    def scaler(self) -> ProactiveScaler: ...
    @property
    def residencies(self) -> Observable[Residency]: ...
    @property
    def outcomes(self) -> Observable[Any]: ...
    @property
    def replies(self) -> Observable[Any]: ...


class Counted(NamedTuple):
    """What had been counted under a name when it was left. before: the decisions of scalers before this one."""

    scaler: "weakref.ref[ProactiveScaler]"
    samples: int
    before: "Counter[tuple[str, str, str]]"
    decisions: "Counter[tuple[str, str, str]]"


class Followed:
    """One manager or scaler, as it has told of itself. A sample costs two assignments; the rest is done on looking.

    earlier: what was counted under its name; that goes on, as a counter never falls.
    """

    def __init__(self, name: str, source: "ProactiveScaler | Manager", earlier: Counted | None = None) -> None:
        self.name, self.scaler = name, source if isinstance(source, ProactiveScaler) else source.scaler
        self.seen: tuple[Outlook, float] | None = None
        self.samples = 0 if earlier is None else earlier.samples
        self._before: Counter[tuple[str, str, str]] = Counter()
        if earlier is not None:
            self._before = earlier.before if earlier.scaler() is self.scaler else earlier.decisions
        self.residency: Residency | None = None
        self.decision: Decision | None = None
        self.missed: set[str] = set()

    def look(self, outlook: Outlook) -> None:
        self.seen = outlook, event_time()
        self.samples += 1
        if outlook.sample.missing:
            self.missed.update(outlook.sample.missing)

    def reside(self, residency: Residency) -> None:
        self.residency = residency

    def decide(self, decision: Decision) -> None:
        self.decision = decision

    @property
    def decisions(self) -> "Counter[tuple[str, str, str]]":
        """How many there were under this name, by kind, urgency and rule."""
        return self._before + Counter(self.scaler.counts)

    @property
    def counted(self) -> Counted:
        return Counted(weakref.ref(self.scaler), self.samples, self._before, self.decisions)

    @property
    def age(self) -> float | None:
        """Seconds since the newest sample came."""
        return None if self.seen is None else event_time() - self.seen[1]

    @property
    def outlook(self) -> Outlook | None:
        """The newest one, unless it is so old that it counts no more."""
        seen = self.seen
        if seen is None or event_time() - seen[1] > self.scaler.settings.silence:
            return None
        return seen[0]

    @property
    def rung(self) -> str | None:
        return self.scaler.rung if self.residency is None else self.residency.rung


class Follower:
    """Follows any number of managers and scalers, each under a name of its own. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._followed: dict[str, Followed] = {}
        self._left: dict[str, Counted] = {}

    @property
    def followed(self) -> list[Followed]:
        """All that is followed now."""
        with self._lock:
            return list(self._followed.values())

    def follow(self, source: "ProactiveScaler | Manager", name: str = "default") -> abc.DisposableBase:
        """Measure it from now on, until what is returned is disposed of. It never ends a stream, nor holds one up.

        After that, what was read of it is told no more. It may be followed again; what was counted goes on.

        Args:
            source: a `ModelManager`, or a `ProactiveScaler`, which knows of no shifts and no replies.
            name: the value of `gearshift.manager`, which tells several in one process apart.

        Raises:
            TypeError: for anything else. ValueError: for a name that is in use or empty, or that UTF-8 has no form for.
        """
        _check(source, name)
        with self._lock:
            if name in self._followed:
                raise ValueError(
                    f"something is followed under the name {name!r} already; dispose of that, or pass another name="
                )
            followed = self._followed[name] = Followed(name, source, self._left.get(name))
        teller = followed.scaler.teller
        wires = CompositeDisposable() if teller is None else CompositeDisposable(Disposable(teller.told))
        wires.add(Disposable(lambda: self._leave(followed)))
        for stream, take in self._streams(source, followed):
            wires.add(stream.subscribe(take))
        return wires

    def _leave(self, followed: Followed) -> None:
        with self._lock:
            if self._followed.get(followed.name) is followed:
                del self._followed[followed.name]
                self._left[followed.name] = followed.counted

    def _streams(
        self, source: "ProactiveScaler | Manager", followed: Followed
    ) -> list[tuple[Observable[Any], Callable[[Any], None]]]:
        scaler = followed.scaler
        found: list[tuple[Observable[Any], Callable[[Any], None]]] = [
            (scaler.outlooks, followed.look),
            (scaler.decisions, followed.decide),
        ]
        if not isinstance(source, ProactiveScaler):
            found += [
                (source.residencies, followed.reside),
                (source.outcomes, lambda outcome: self._ended(followed, outcome)),
                (source.replies, lambda reply: self._answered(followed, reply)),
            ]
        return found

    def _ended(self, followed: Followed, outcome: Ended) -> None:
        """An action has ended."""
        raise NotImplementedError

    def _answered(self, followed: Followed, reply: Answered) -> None:
        """A reply has ended."""
        raise NotImplementedError


def _check(source: Any, name: Any) -> None:
    """Raise TypeError, ValueError: later it would be the scrapes that fail."""
    if not isinstance(getattr(source, "scaler", source), ProactiveScaler):
        raise TypeError(f"follow takes a ModelManager or a ProactiveScaler, got {source!r}")
    streams = () if isinstance(source, ProactiveScaler) else ("residencies", "outcomes", "replies")
    if lacking := [each for each in streams if not hasattr(source, each)]:
        raise TypeError(f"what is followed has no {', no '.join(lacking)}; follow its .scaler instead, got {source!r}")
    if not isinstance(name, str):
        raise TypeError(f"name must be a str, got name={name!r}")
    if not name or name != name.encode(errors="ignore").decode():
        raise ValueError(f"name must not be empty, and of text that UTF-8 has a form for, got name={name!r}")
