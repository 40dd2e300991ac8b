"""Marbles for tests of event-time operators: what goes in and what comes out, as lines of text over each other.

Works for any operator of RxPY whose items have a `.time`, gearshift's or your own; needs reactivex and nothing else.

>>> from gearshift.operators import debounce
>>> source =                                    "FTFFFTTTTFF"
>>> assert marble(run(debounce(2), series(source))) == "----FFFTTTT"

A frame is a second of event time, unless `frame=` says otherwise. `hot` and `START` are for tests that need RxPY's
`TestScheduler` itself: of subscription and disposal, of errors, or of operators that do start timers.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reactivex import Observable
from reactivex.testing import ReactiveTest, TestScheduler

from .typing import Stamped, positive, whole

__all__ = ["START", "hot", "marble", "run", "series"]

START = 200.0
"""When a TestScheduler subscribes, in its seconds."""

_RESERVED = "|#()^"  # which mean more than an item in other notations of marbles


def hot(
    scheduler: TestScheduler, items: Sequence[Any], *, end: float | None = None, error: Exception | None = None
) -> Any:
    """A hot Observable of the scheduler's: the items one second apart, the first a second after `START`.

    Args:
        scheduler: a `reactivex.testing.TestScheduler`.
        items: any; their own times don't count here.
        end: when it completes, seconds from `START`; never by default.
        error: what it fails with instead, at `end`, or a second after the last item.

    Returns:
        The Observable; its `.subscriptions` tell when it was subscribed to and disposed.
    """
    begin: Any = START  # reactivex's types say int, its scheduler takes any seconds
    records = [ReactiveTest.on_next(begin + 1 + i, item) for i, item in enumerate(items)]
    if error is not None:
        records.append(ReactiveTest.on_error(begin + (len(items) + 1 if end is None else end), error))
    elif end is not None:
        records.append(ReactiveTest.on_completed(begin + end))
    return scheduler.create_hot_observable(records)


def series(marble: str, values: Mapping[str, Any] | None = None, *, frame: float = 1.0) -> list[Stamped[Any]]:
    """`"--a-b"` to stamped items: each character is a frame of event time, `-` is one without an item.

    Args:
        marble: the line. A space counts for nothing, so that lines can be aligned.
        values: what characters stand for; the others stand for themselves.
        frame: seconds of event time.

    Raises:
        ValueError: for the signs of an end, an error or a group (`|#()^`), which have no place here.

    >>> series("-a-b", {"a": 1, "b": 2})
    [Stamped(time=1.0, value=1), Stamped(time=3.0, value=2)]
    >>> series("-a-|")
    Traceback (most recent call last):
    ValueError: '|' in the marble '-a-|' is no item; leave it out (a series completes by itself), or name it in values
    """
    step = positive("frame", frame)
    found: list[Stamped[Any]] = []
    for place, sign in enumerate(marble.replace(" ", "")):
        if sign != "-":
            found.append(Stamped(place * step, _value(sign, marble, values or {})))
    return found


def _value(sign: str, marble: str, values: Mapping[str, Any]) -> Any:
    if sign in _RESERVED and sign not in values:
        raise ValueError(
            f"{sign!r} in the marble {marble!r} is no item; leave it out (a series completes by itself), "
            "or name it in values"
        )
    return values.get(sign, sign)


def run(operator: Callable[[Observable[Any]], Observable[Any]], items: Sequence[Any]) -> list[Any]:
    """All that an operator makes of items pushed through a TestScheduler.

    Raises:
        AssertionError: unless the operator completes as its source does, and has disposed of it then.
        Exception: whatever the operator fails with.

    >>> from reactivex import operators as ops
    >>> run(ops.map(str.upper), "ab")
    ['A', 'B']
    """
    scheduler = TestScheduler()
    last = len(items) + 1
    source = hot(scheduler, items, end=last)
    messages: list[Any] = scheduler.start(lambda: source.pipe(operator), disposed=START + last + 9).messages
    if messages and messages[-1].value.kind == "E":
        raise messages[-1].value.exception
    if not messages or messages[-1].value.kind != "C":
        raise AssertionError(f"the operator did not complete when its source did; it gave {messages}")
    spans = [(subscribed.subscribe, subscribed.unsubscribe) for subscribed in source.subscriptions]
    if spans != [(START, START + last)]:
        raise AssertionError(
            f"the source was to be subscribed once, from {START:g} until its end at {START + last:g}, it was {spans}"
        )
    return [message.value.value for message in messages[:-1]]


def marble(
    items: Sequence[Any], length: int | None = None, names: Mapping[Any, str] | None = None, *, frame: float = 1.0
) -> str:
    """Items back to a line of characters, to be compared with the one that they were made from.

    Args:
        items: with `.time`, seconds of event time, and `.value`.
        length: frames; by default up to the last item.
        names: a character for each value; by default `str` of it.
        frame: seconds.

    Raises:
        ValueError: for an item outside the line, two in one frame, or a name that is no single character.

    >>> marble([Stamped(1.0, "a"), Stamped(3.0, True)], 6, {"a": "a", True: "T"})
    '-a-T--'
    """
    step = positive("frame", frame)
    places = [round(item.time / step, 6) // 1 for item in items]
    count = int(max(places, default=-1)) + 1 if length is None else whole("length", length, least=0)
    line = ["-"] * count
    for place, item in zip(places, items, strict=True):
        name = str(item.value) if names is None else names.get(item.value, str(item.value))
        if len(name) != 1:
            raise ValueError(f"{name!r} is no single character; give one in names for the value {item.value!r}")
        if not 0 <= place < count:
            raise ValueError(f"{name!r} at {item.time:g} s is outside a line of {count} frames of {step:g} s")
        if line[int(place)] != "-":
            raise ValueError(f"{line[int(place)]!r} and {name!r} are both in frame {place:g}; take a shorter frame")
        line[int(place)] = name
    return "".join(line)
