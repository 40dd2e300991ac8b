"""A closed loop in event time over a series of external use, and its decisions in short."""

from collections.abc import Iterable, Sequence

from gearshift.pipeline import Decision, Rung, Settings
from gearshift.pipeline.testing import FakeLoader, samples_of


def play(
    external: Iterable[int | None],
    ladder: Sequence[Rung],
    settings: Settings,
    *,
    total: int = 1000,
    load_seconds: float = 2.0,
) -> list[Decision]:
    """Decisions over samples one second apart, each carried out."""
    return FakeLoader(ladder, load_seconds=load_seconds).play(samples_of(external, total=total), settings)


def shifts(made: Sequence[Decision]) -> list[tuple[float, str, str | None]]:
    """Decisions without the first load: time, kind and target."""
    return [(d.time, d.kind, d.target) for d in made if d.source is not None]
