"""Samples and residencies to decisions: the pure middle of gearshift."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import reactivex
from reactivex import Observable
from reactivex import operators as ops

from ..operators.debounce import debounce
from ..operators.hysteresis import hysteresis
from ..operators.lifting import NOTHING, lift
from ..operators.stabilize import stabilize
from .decider import Decider
from .joining import fan_out, join
from .outlook import Outlook, outlook
from .policy import Assessment, Residency, Rung
from .samples import Sample
from .settings import Settings
from .words import Asked, Decision


class _Tagged(msgspec.Struct, frozen=True):
    kind: str
    item: Any


def _tag(kind: str) -> Callable[[Observable[Any]], Observable[_Tagged]]:
    return ops.map(lambda item: _Tagged(kind, item))


def decide(ladder: Sequence[Rung], settings: Settings) -> Callable[[Observable[_Tagged]], Observable[Decision]]:
    """Tagged outlooks, residencies and requests to decisions."""

    def make() -> Callable[[Observable[_Tagged]], Observable[Decision]]:
        decider = Decider(ladder, settings)

        def assessed(tagged: _Tagged) -> Any:
            if tagged.kind == "outlook":
                return decider.assess(tagged.item)
            return decider.residency(tagged.item) if tagged.kind == "residency" else NOTHING

        def conclude(tagged: _Tagged) -> Any:
            decision = decider.take(tagged.kind, tagged.item)
            return NOTHING if decision is None else decision

        assessments = fan_out(
            reactivex.compose(
                hysteresis(low=settings.low, high=settings.high, value=decider.share),
                debounce(seconds=settings.confirm),
                _tag("short"),
            ),
            reactivex.compose(stabilize(up=settings.stabilisation, down=0, value=_grow_to), _tag("grow")),
            reactivex.compose(stabilize(up=settings.recovery, down=0, value=_grow_to), _tag("recover")),
            _tag("now"),
        )
        return reactivex.compose(
            fan_out(
                ops.filter(lambda tagged: tagged.kind == "asked"),
                reactivex.compose(lift(lambda: assessed), assessments),
            ),
            lift(lambda: conclude),
        )

    return lambda source: reactivex.defer(lambda _: make()(source))


def _grow_to(assessment: Assessment) -> int:
    return assessment.grow_to


def decision_stream(
    samples: Observable[Sample],
    residencies: Observable[Residency],
    ladder: Sequence[Rung],
    settings: Settings | None = None,
    *,
    asked: Observable[Asked] | None = None,
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
        asked: requests for a downgrade from the app.

    Returns:
        A cold Observable; it completes with `samples`, and forwards errors of all.
    """
    checked = settings or Settings()
    return decisions_from(samples.pipe(outlook(checked)), residencies, ladder, checked, asked=asked)


def decisions_from(
    outlooks: Observable[Outlook],
    residencies: Observable[Residency],
    ladder: Sequence[Rung],
    settings: Settings,
    *,
    asked: Observable[Asked] | None = None,
) -> Observable[Decision]:
    """As `decision_stream`, from outlooks that somebody else also watches."""
    given = [residencies.pipe(_tag("residency")), *([asked.pipe(_tag("asked"))] if asked is not None else [])]
    return join(outlooks.pipe(_tag("outlook")), *given).pipe(decide(ladder, settings))
