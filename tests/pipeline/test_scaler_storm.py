"""Several threads at once with a scaler."""

import random
import sys
import threading
import time
from collections.abc import Callable, Sequence

import pytest
from gearshift.pipeline import Decision, Pool, ProactiveScaler, Residency, Sample, Settings
from gearshift.pipeline.testing import samples_of
from reactivex import Subject

from tests.pipeline.scaling import LADDER, QUICK, Within, sampling
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("nothing_is_left")


def test_each_of_two_threads_that_ask_at_once_gets_its_own_decision() -> None:
    source: Subject[Sample] = Subject()
    scaler = ProactiveScaler(LADDER, Settings(), source, dry_run=True)
    entered, go, told = threading.Event(), threading.Event(), []

    def hold(decision: Decision) -> None:
        if decision.target == "large":
            entered.set()
            go.wait(10)

    def ask() -> None:
        told.append(scaler.initiate_graceful_degradation("the same reason"))

    scaler.decisions.subscribe(hold)
    with scaler:
        deciding = Within(lambda: source.on_next(samples_of([100])[0]))
        assert entered.wait(10)
        asking = [Within(ask), Within(ask)]
        until(lambda: len(scaler._decisions.observers) == 3)  # both wait behind the first decision
        go.set()
        for thread in [deciding, *asking]:
            thread.ended()
    assert sorted(made.target or "" for made in told if made is not None) == ["medium", "small"]


def actions(scaler: ProactiveScaler) -> list[Callable[[], object]]:
    return [
        scaler.start_continuous_monitoring,
        scaler.stop_continuous_monitoring,
        lambda: scaler.check_preflight_resources("generate", "medium", tokens=10),
        lambda: scaler.check_preflight_resources(),
        lambda: scaler.record_performance("generate", 0.1, ok=False),
        scaler.should_upgrade_model,
        lambda: scaler.initiate_graceful_degradation("a test", immediate=True),
        scaler.analyze_resource_trends,
        lambda: scaler.counts,
    ]


def storm(scaler: ProactiveScaler, *more: Callable[[], object], seconds: float = 1.5) -> None:
    """Eight threads that do anything at all, for so many seconds; then the last stop."""
    patience = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        _storm(scaler, more, seconds)
    finally:
        sys.setswitchinterval(patience)
    scaler.stop_continuous_monitoring()
    assert sampling() == 0


def _storm(scaler: ProactiveScaler, more: Sequence[Callable[[], object]], seconds: float) -> None:
    end = time.monotonic() + seconds

    def work(seed: int) -> None:
        chosen, deeds = random.Random(seed), [*actions(scaler), *more]
        while time.monotonic() < end:
            chosen.choice(deeds)()

    for thread in [Within(lambda seed=seed: work(seed)) for seed in range(8)]:
        thread.ended(seconds + 20)


@pytest.mark.slow
@pytest.mark.parametrize("dry_run", [False, True])
def test_eight_threads_on_this_machine(dry_run: bool, caplog: pytest.LogCaptureFixture) -> None:
    scaler = ProactiveScaler(LADDER, QUICK, dry_run=dry_run)
    storm(scaler)
    seen = threading.Event()
    scaler.outlooks.subscribe(lambda _: seen.set())
    with scaler:
        assert seen.wait(10), "the stream died"
        assert scaler.check_preflight_resources(rung="small").known
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.slow
def test_eight_threads_on_a_source_that_was_given(caplog: pytest.LogCaptureFixture) -> None:
    source: Subject[Sample] = Subject()
    residencies: Subject[Residency] = Subject()
    scaler = ProactiveScaler(LADDER, Settings(), source, residencies=residencies)
    made: list[Decision] = []
    scaler.decisions.subscribe(made.append)
    clock, lock = iter(range(10**9)), threading.Lock()

    def push() -> None:
        with lock:
            source.on_next(Sample(float(next(clock)), {"ram": Pool(1000, 100 + next(clock) % 900)}))

    storm(scaler, push, lambda: residencies.on_next(Residency(0.0, "ready", "large")))
    made.clear()
    with scaler:
        residencies.on_next(Residency(0.0, "ready", "large"))
        source.on_next(Sample(float(next(clock)), {"ram": Pool(1000, 600, 500)}))
        assert scaler.initiate_graceful_degradation("still alive") is not None and made
    assert not source.observers and not residencies.observers
    assert not [record for record in caplog.records if record.exc_info]
