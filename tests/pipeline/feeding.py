"""Items fed one by one into a decision stream, and its decisions as lines of words."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from gearshift.pipeline import Asked, Decision, Residency, Rung, Sample, Settings, decision_stream
from gearshift.pipeline.testing import residency, rungs_of, samples_of
from gearshift.pipeline.words import Performed
from reactivex import Subject

Item = Sample | Residency | Asked | Performed

LADDER = rungs_of(500, 300, 100)
TWO_POOLS = [Rung("gpu", {"ram": 100, "cuda:0": 500}, 2.0), Rung("small", {"ram": 100}, 1.0)]
NEEDS = {"large": 500, "medium": 300, "small": 100, "": 0}


def decided(items: Iterable[Item], ladder: Sequence[Rung] = LADDER, settings: Settings | None = None) -> list[Decision]:
    """All decisions over the items in their order, the residencies, requests and reports among the samples."""
    samples, residencies, asked = Subject[Any](), Subject[Any](), Subject[Any]()
    made: list[Decision] = []
    errors: list[Exception] = []
    with decision_stream(samples, residencies, ladder, settings, asked=asked).subscribe(made.append, errors.append):
        for item in items:
            way = samples if type(item) is Sample else residencies if type(item) is Residency else asked
            way.on_next(item)
    if errors:
        raise errors[0]
    return made


def told(decisions: Iterable[Decision]) -> list[str]:
    """`time kind target urgency rule` of each."""
    return [f"{d.time:g} {d.kind} {d.target or 'nothing'} {d.urgency} {d.reason.rule}" for d in decisions]


def ready(rung: str | None, time: float = -100.0, *, seconds: float = 0.0) -> Residency:
    return residency(rung, time, seconds=seconds)


def beside(
    rung: str, external: int | Iterable[int | None], seconds: int = 0, *, since: float = 0.0, step: float = 1.0,
    own: int | None = None, **more: Any,
) -> list[Sample]:  # fmt: skip
    """Samples of `ram` (1000 bytes) each `step` seconds: others hold `external`, and this rung its need or `own`.

    A number for `external` lasts `seconds`, and None is a failed reading. More goes into each sample.
    """
    levels = [external] * seconds if isinstance(external, int) else external
    ours = NEEDS[rung] if own is None else own
    return samples_of(levels, own=ours, interval=step, since=since, **more)


def on_gpu(ram: int | None, gpu: int | None, seconds: int, *, since: float = 0.0) -> list[Sample]:
    levels = {"ram": [ram] * seconds, "cuda:0": [gpu] * seconds}
    return samples_of(levels, own={"ram": 100, "cuda:0": 500}, since=since)


def replies(*seconds: float, rung: str = "large", failed: Sequence[int] = (), time: float = 0.0) -> list[Performed]:
    """Replies on a rung; those whose places are in `failed` failed."""
    return [Performed(time, "generate", s, i not in failed, rung) for i, s in enumerate(seconds)]


def case(
    name: str, items: Iterable[Item], *expected: str, settings: Settings | None = None, ladder: Sequence[Rung] = LADDER
) -> Any:
    return pytest.param(list(items), ladder, settings, list(expected), id=name)


def ramp(start: int, slope: int, seconds: int) -> list[int]:
    return [start + slope * i for i in range(seconds)]
