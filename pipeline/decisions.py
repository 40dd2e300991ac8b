"""Samples and residencies to decisions: the pure middle of gearshift."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import reactivex
from reactivex import Observable

from ..operators.debounce import debounce
from ..operators.hysteresis import hysteresis
from ..operators.lifting import NOTHING
from ..operators.stabilize import stabilize
from ..operators.typing import Operator
from .decider import Decider
from .growth import floor
from .joining import beside, join
from .outlook import outlook
from .policy import Assessment
from .rungs import Residency, Rung
from .samples import Sample
from .settings import Settings
from .words import Asked, Decision, Performed


def decide(ladder: Sequence[Rung], settings: Settings) -> Operator[Any, Decision]:
    """Outlooks, with residencies, requests and reports among them, to decisions."""

    def make() -> Operator[Any, Decision]:
        decider = Decider(ladder, settings)

        def conclude(assessment: Assessment, short: bool | None, stable: int | None) -> Any:
            decision = decider.conclude(assessment, bool(short), -1 if stable is None else stable)
            return NOTHING if decision is None else decision

        shortage: Operator[Any, Any] = reactivex.compose(
            hysteresis(low=settings.guarded / settings.high, high=1.0, value=decider.strain, time=decider.clock),
            debounce(seconds=settings.confirm),
        )
        growth: Operator[Any, Any] = stabilize(
            up=floor(settings), down=0, value=attrgetter("grow_to"), time=decider.clock
        )
        return beside(conclude, shortage, growth, only=Assessment, prepare=decider.feed)

    return lambda source: reactivex.defer(lambda _: make()(source))


def decision_stream(
    samples: Observable[Sample],
    residencies: Observable[Residency],
    ladder: Sequence[Rung],
    settings: Settings | None = None,
    *,
    asked: Observable[Asked | Performed] | None = None,
) -> Observable[Decision]:
    """What to run and when: the same code for live samples and replayed ones.

    ::

        samples:      --s--s--s--s--s--s--s--|
        residencies:  r-----------------r----
        decisions:    --D---------D----------|    (a desired state is emitted once)

    Args:
        samples: readings of the machine, by event time.
        residencies: what is loaded, whenever it changes. They may come from another thread.
        ladder: the rungs, best first.
        settings: ceilings and durations; `Settings()` by default.
        asked: requests for a downgrade from the app, and how operations went.

    Returns:
        A cold Observable; it completes with `samples`, and forwards errors of all.

    Raises:
        ValueError, TypeError: by `on_error` at subscription, for a ladder that can't be used.

    >>> from gearshift.pipeline import load
    >>> loaded = reactivex.of(Residency(0.0, "ready", "large"))
    >>> ladder = [Rung("large", {"ram": 18_500_000_000}), Rung("small", {"ram": 4_000_000_000})]
    >>> decisions = decision_stream(load("tests/recordings/leak.jsonl").stream(), loaded, ladder)
    >>> _ = decisions.subscribe(lambda made: print(made.explain()))
    Shift down from large to small, planned: others hold 1.18 GiB and grow by 33 MiB/s, so the ceiling of 80% of \
23.54 GiB in ram is 13 s away; it goes up again once others hold under 0.90 GiB for 300 s.
    """
    checked = settings or Settings()
    given = [residencies, *([asked] if asked is not None else [])]
    return join(samples, *given).pipe(outlook(checked), decide(ladder, checked))
