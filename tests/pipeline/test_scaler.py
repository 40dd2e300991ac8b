import threading

import pytest
from gearshift.pipeline import (
    ProactiveScaler,
    Residency,
    Sample,
    Settings,
)
from gearshift.pipeline.testing import rungs_of, samples_of
from reactivex import Subject

LADDER = rungs_of(500, 300, 100)


class Watched:
    def __init__(self) -> None:
        self.source: Subject[Sample] = Subject()
        self.residencies: Subject[Residency] = Subject()
        self.scaler = ProactiveScaler(LADDER, Settings(), self.source, residencies=self.residencies)
        self.decisions: list = []
        self.scaler.decisions.subscribe(self.decisions.append)
        self.scaler.start_continuous_monitoring()
        self.residencies.on_next(Residency(0.0, "ready", "large"))


@pytest.fixture
def watched():
    made = Watched()
    yield made
    made.scaler.stop_continuous_monitoring()


def test_preflight_unpacks_as_ok_and_reason(watched: Watched) -> None:
    watched.source.on_next(samples_of([100], own=500)[0])
    ok, reason = watched.scaler.check_preflight_resources("generate")
    assert ok and "large" in reason
    watched.source.on_next(samples_of([0, 600], own=0)[1])
    assert not watched.scaler.check_preflight_resources(rung="large").ok
    assert watched.scaler.check_preflight_resources(rung="small").ok
    with pytest.raises(ValueError, match="no rung named 'huge'"):
        watched.scaler.check_preflight_resources(rung="huge")


def test_preflight_of_an_unknown_pool_is_not_ok(watched: Watched) -> None:
    watched.source.on_next(samples_of([None])[0])
    assert watched.scaler.check_preflight_resources() == (False, "generate: the memory that large needs can't be read")


def test_should_upgrade_looks_at_what_fits_now(watched: Watched) -> None:
    watched.source.on_next(samples_of([100], own=500)[0])
    assert not watched.scaler.should_upgrade_model()
    watched.residencies.on_next(Residency(1.0, "ready", "small"))
    assert watched.scaler.should_upgrade_model()


def test_degradation_is_a_decision_and_none_on_the_last_rung(watched: Watched) -> None:
    assert watched.scaler.initiate_graceful_degradation("before any sample") is None
    watched.source.on_next(samples_of([100], own=500)[0])
    decision = watched.scaler.initiate_graceful_degradation("a game starts")
    assert decision is not None and decision.target == "medium" and watched.decisions == [decision]
    watched.residencies.on_next(Residency(2.0, "ready", "small"))
    assert watched.scaler.initiate_graceful_degradation("again") is None


def test_failing_replies_ask_for_a_smaller_rung_once(watched: Watched) -> None:
    watched.source.on_next(samples_of([100], own=500)[0])
    for _ in range(5):
        watched.scaler.record_performance("generate", 1.0, ok=False)
    assert [(d.kind, d.target) for d in watched.decisions] == [("downgrade", "medium")]
    assert "5 of the last 5 of generate on large failed" in watched.decisions[0].explain()


def test_monitors_this_machine_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    scaler = ProactiveScaler(settings=Settings(interval=0.01))
    for _ in range(2):
        seen = threading.Event()
        subscription = scaler.samples.subscribe(lambda _, seen=seen: seen.set())
        with scaler:
            assert seen.wait(10)
        subscription.dispose()
    assert set(threading.enumerate()) == before
    assert scaler.analyze_resource_trends().pools["ram"] is not None


def test_works_without_arguments_and_answers_before_it_is_started() -> None:
    scaler = ProactiveScaler()
    assert scaler.analyze_resource_trends().pools["ram"] is not None
    assert scaler.check_preflight_resources() == (False, "generate: no rung is loaded")


def test_a_ladder_that_cannot_be_used_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="rung names must differ"):
        ProactiveScaler([LADDER[0], LADDER[0]], Settings(), Subject())
    with pytest.raises(TypeError, match="ladder must hold Rung objects, best first, got 'l'"):
        ProactiveScaler("large", Settings(), Subject())  # type: ignore[arg-type]


def test_what_was_loaded_long_before_the_first_sample_has_not_been_steady_since(watched: Watched) -> None:
    watched.residencies.on_next(Residency(0.0, "ready", "small"))
    for sample in samples_of([100] * 5, own=100):
        watched.source.on_next(Sample(6000 + sample.time, sample.pools))
    assert watched.decisions == []


def test_a_start_says_whether_it_began_the_monitoring(watched: Watched) -> None:
    assert not watched.scaler.start_continuous_monitoring()
    watched.scaler.stop_continuous_monitoring()
    assert watched.scaler.start_continuous_monitoring()


@pytest.mark.parametrize("end", ["stopped", "its source ends"])
def test_monitoring_completes_once_when_it_ends(watched: Watched, end: str) -> None:
    over: list[str] = []
    watched.scaler.monitoring.subscribe(on_completed=lambda: over.append(end))
    assert over == []
    if end == "stopped":
        watched.scaler.stop_continuous_monitoring()
    else:
        watched.source.on_completed()
    watched.scaler.stop_continuous_monitoring()
    assert over == [end]
    watched.scaler.monitoring.subscribe(on_completed=lambda: over.append("at once"))
    assert over == [end, "at once"]


def test_it_knows_the_rung_that_is_loaded(watched: Watched) -> None:
    assert watched.scaler.rung == "large"
    watched.residencies.on_next(Residency(1.0, "empty"))
    assert watched.scaler.rung is None
