"""A closed loop in event time: a series of external use, and a machine that obeys decisions after `load_seconds`."""

from collections.abc import Iterable, Sequence
from typing import Any

from gearshift.pipeline import Decision, Pool, Residency, Rung, Sample, Settings, decision_stream
from reactivex import Subject


def play(
    external: Iterable[int | None],
    ladder: Sequence[Rung],
    settings: Settings,
    *,
    total: int = 1000,
    load_seconds: float = 2.0,
) -> list[Decision]:
    """Decisions over samples one second apart. `own` is the resident rung's need, as a real machine would measure."""
    samples: Subject[Any] = Subject()
    residencies: Subject[Any] = Subject()
    made: list[Decision] = []
    needs: dict[str | None, int] = {rung.name: rung.need["ram"] for rung in ladder}
    resident: str | None = None
    due: tuple[float, Decision] | None = None

    def obey(decision: Decision) -> None:
        nonlocal due
        made.append(decision)
        due = (decision.time + load_seconds, decision)
        residencies.on_next(Residency(decision.time, "shifting", resident))

    with decision_stream(samples, residencies, ladder, settings).subscribe(obey):
        for second, used in enumerate(external):
            if due is not None and second >= due[0]:
                resident, due = due[1].target, None
                state = "ready" if resident else "empty"
                residencies.on_next(Residency(float(second), state, resident, seconds=load_seconds))
            own = needs.get(resident, 0)
            pool = None if used is None else Pool(total, used + own, own)
            samples.on_next(Sample(float(second), {"ram": pool}, missing=("ram",) if used is None else ()))
    return made


def shifts(made: Sequence[Decision]) -> list[tuple[float, str, str | None]]:
    """Decisions without the first load: time, kind and target."""
    return [(d.time, d.kind, d.target) for d in made if d.source is not None]
