"""Which settings would have served a recording best."""

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import product
from typing import Any, NamedTuple

import msgspec

from ..rungs import Rung
from ..samples import Sample
from ..settings import Settings
from .result import Simulation
from .simulate import simulate

_GRID: dict[str, tuple[Any, ...]] = {
    "high": (0.70, 0.75, 0.80, 0.85, 0.90),
    "hysteresis": (0.03, 0.06, 0.10),
    "stabilisation": (60.0, 300.0, "adaptive"),
}
KEYS = tuple(_GRID)


class Trial(NamedTuple):
    """Settings and what came of them. alike: how many other settings of the search led to the very same.

    quality: effective, see `Simulation`. above, overcommit: seconds above `critical`, and above a whole pool.
    """

    settings: Settings
    quality: float
    shifts: int
    above: float
    overcommit: float
    kills: int
    alike: int = 0


class Tuning(NamedTuple):
    """present: with the settings as they are. best: what nothing beats on every count, the best first. runs: in all."""

    present: Trial
    best: tuple[Trial, ...]
    runs: int


def tune(
    samples: Iterable[Sample],
    ladder: Sequence[Rung],
    settings: Settings,
    *,
    fixed: Collection[str] = (),
    load_time: float | Callable[[Rung], float] | None = None,
    watch: Callable[[Sequence[Settings]], Iterable[Settings]] = iter,
) -> Tuning:
    """Search over `high`, `hysteresis` and `stabilisation`: 45 simulations, and one more for settings in between.

    All are measured against `critical`, which no trial changes: against a ceiling of its own each `high` would look as
    good as the next. A setting is among the best when no other has at least its effective quality with no more shifts,
    seconds above critical and kills. The order is by kills, then effective quality, then shifts, then seconds above.

    Args:
        samples, ladder, load_time: as for `simulate`.
        settings: where the search starts, and what it leaves alone.
        fixed: keys among `KEYS` that stay as they are.
        watch: is given all settings and hands them on, one by one; for a progress bar.
    """
    kept = list(samples)
    grid = _candidates(settings, fixed)
    trials = [
        _trial(chosen, simulate(kept, ladder, chosen, load_time=load_time, ceiling=settings.critical))
        for chosen in watch(grid)
    ]
    present = next(trial for trial in trials if trial.settings == settings)
    front = [trial for trial in trials if not any(_beats(other, trial) for other in trials)]
    return Tuning(present, tuple(sorted(_merged(front, settings), key=_counts)), len(grid))


def _candidates(settings: Settings, fixed: Collection[str]) -> list[Settings]:
    axes = [(getattr(settings, key),) if key in fixed else values for key, values in _GRID.items()]
    found = [settings]
    for high, hysteresis, stabilisation in product(*axes):
        if hysteresis < high <= settings.critical:
            chosen = msgspec.structs.replace(settings, high=high, hysteresis=hysteresis, stabilisation=stabilisation)
            if chosen != settings:
                found.append(chosen)
    return found


def _trial(settings: Settings, found: Simulation) -> Trial:
    return Trial(
        settings,
        found.effective_quality,
        len(found.shifts),
        found.above_seconds,
        found.overcommit_seconds,
        found.kills,
    )


def _counts(trial: Trial) -> tuple[float, float, float, float]:
    """Less is better. Rounded: sums of times since 1970 differ in their last digits."""
    return (trial.kills, -round(trial.quality, 4), trial.shifts, round(trial.above, 4))


def _beats(one: Trial, other: Trial) -> bool:
    ours, theirs = _counts(one), _counts(other)
    return ours != theirs and all(mine <= its for mine, its in zip(ours, theirs, strict=True))


def _merged(trials: Iterable[Trial], settings: Settings) -> list[Trial]:
    """One trial for each outcome: the one with the fewest and smallest changes."""
    by_outcome: dict[tuple[float, ...], list[Trial]] = {}
    for trial in trials:
        by_outcome.setdefault(_counts(trial), []).append(trial)
    return [
        min(alike, key=lambda trial: _changes(trial.settings, settings))._replace(alike=len(alike) - 1)
        for alike in by_outcome.values()
    ]


def _changes(settings: Settings, present: Settings) -> tuple[int, float]:
    pairs = [(getattr(settings, key), getattr(present, key)) for key in KEYS]
    return sum(new != old for new, old in pairs), sum(_step(new, old) for new, old in pairs)


def _step(new: object, old: object) -> float:
    if isinstance(new, float | int) and isinstance(old, float | int) and old:
        return abs(new - old) / old
    return float(new != old)
