"""Subscribers as they shouldn't be."""

import time
from collections.abc import Callable
from random import Random
from typing import Any

from gearshift.models import Options
from reactivex import abc

from .managers import DOCUMENTED, Count, Kept

STREAMS = ("samples", "outlooks", "decisions", "asked", "residencies", "outcomes", "notices", "replies")

_OFTEN = 20
"""Items that a subscriber reacts to."""


def streams(kept: Kept, random: Random) -> Any:
    name = random.choice(STREAMS)
    owner = kept.manager if hasattr(kept.manager, name) else random.choice([kept.manager.scaler, kept.scaler])
    return getattr(owner, name)


def listen(kept: Kept, random: Random, count: Count) -> abc.DisposableBase:
    """Subscribe to any stream with any kind of subscriber."""
    held: list[abc.DisposableBase] = []
    deed = random.choice([_raise, _dawdle, _dispose, _subscribe, _ask, _question, _stop, _restart])
    left = iter(range(_OFTEN))  # an ask tells `replies`, which asks again

    def hear(_: object) -> None:
        if next(left, None) is not None:
            deed(kept, held, count)

    wire = streams(kept, random).subscribe(hear)
    held.append(wire)
    return wire


def _raise(_kept: Kept, _held: list[abc.DisposableBase], count: Count) -> None:
    count.add("subscribers that raised")
    raise RuntimeError("a subscriber's own")


def _dawdle(*_: object) -> None:
    time.sleep(0.02)


def _dispose(_kept: Kept, held: list[abc.DisposableBase], _count: Count) -> None:
    for each in held:
        each.dispose()


def _subscribe(kept: Kept, held: list[abc.DisposableBase], _count: Count) -> None:
    if len(held) < 4:
        held.append(kept.manager.outcomes.subscribe(lambda _: None))
        held[-1].dispose()


def _ask(kept: Kept, _held: list[abc.DisposableBase], count: Count) -> None:
    """A reply, from inside of what a reply or a shift tells."""
    count.add("asks from inside a subscriber")
    try:
        kept.manager.respond("From inside.", "inside", options=Options(max_new_tokens=2), timeout=5)
    except DOCUMENTED as error:
        count.add(f"inside: {type(error).__name__}")
    except Exception as error:  # noqa: BLE001 - whatever else it is, it is a breach
        count.breach(f"an ask from inside a subscriber: {error!r}")


def _question(kept: Kept, *_: object) -> None:
    kept.scaler.check_preflight_resources()
    kept.manager.scaler.initiate_graceful_degradation("from inside", immediate=True)
    kept.manager.history("inside")


def _stop(kept: Kept, *_: object) -> None:
    kept.scaler.stop_continuous_monitoring()


def _restart(kept: Kept, *_: object) -> None:
    kept.scaler.stop_continuous_monitoring()
    kept.scaler.start_continuous_monitoring()


Deed = Callable[[Kept, list[abc.DisposableBase], Count], None]
