"""A node's pipeline, told to a fleet that may be away."""

from typing import Any

import pytest
from gearshift.pipeline import Decision, Outlook, Pool, ProactiveScaler, Reading, Residency, Rung, Sampler, Settings
from gearshift.pipeline.fleet import Reporter, Standing
from gearshift.pipeline.testing import ScriptedProbe
from reactivex import Subject

from tests.waiting import until

LADDER = [Rung("large", {"ram": 600}), Rung("small", {"ram": 100}, quality=0.5)]
QUICK = Settings(interval=0.05, confirm=0.0, patience=0.1, settle=0.0)


class Ear:
    """What is sent; deaf: nothing arrives."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.deaf = False

    def __call__(self, items: list[Any]) -> None:
        if self.deaf:
            raise ConnectionError("nobody listens")
        self.heard.extend(items)

    def of(self, kind: type) -> list[Any]:
        return [item for item in self.heard if isinstance(item, kind)]


@pytest.fixture
def residencies() -> Subject[Residency]:
    return Subject()


def scaler(residencies: Subject[Residency]) -> ProactiveScaler:
    probe = ScriptedProbe([Reading({"ram": Pool(1000, 100)})])
    return ProactiveScaler(LADDER, QUICK, residencies=residencies, sampler=Sampler([probe]))


def test_outlooks_decisions_residencies_and_how_it_stands_are_told(residencies: Subject[Residency]) -> None:
    ear = Ear()
    with scaler(residencies) as made:
        reporter = Reporter("n1", made, ear, residencies=residencies, waiting=lambda: 3, every=0.05)
        residencies.on_next(Residency(1.0, "ready", "small"))
        until(lambda: ear.of(Outlook) and ear.of(Residency) and any(told.ready for told in ear.of(Standing)))
        reporter.close()
    told = ear.of(Standing)[-1]
    assert (told.node, told.rung, told.quality, told.waiting, told.fits) == ("n1", "small", 0.5, 3, "large")
    assert ear.of(Residency) == [Residency(1.0, "ready", "small")]


def test_what_could_not_be_told_while_nobody_listened_is_told_afterwards(residencies: Subject[Residency]) -> None:
    ear = Ear()
    ear.deaf = True
    with scaler(residencies) as made:
        decided: list[Decision] = []
        made.decisions.subscribe(decided.append)
        reporter = Reporter("n1", made, ear, residencies=residencies, every=0.02)
        residencies.on_next(Residency(0.0))
        until(lambda: decided)  # the node goes on by itself
        residencies.on_next(Residency(1.0, "ready", "large"))
        ear.deaf = False
        until(lambda: ear.of(Decision) and ear.of(Residency))
        reporter.close()
    assert ear.of(Decision)[: len(decided)] == decided[: len(ear.of(Decision))]


def test_nothing_is_told_after_it_was_closed(residencies: Subject[Residency]) -> None:
    ear = Ear()
    with scaler(residencies) as made:
        reporter = Reporter("n1", made, ear, every=0.02)
        until(lambda: ear.heard)
        reporter.close()
        count = len(ear.heard)
        residencies.on_next(Residency(1.0))
        reporter.close()
    assert len(ear.heard) == count
