"""A dry run decides as a real one would."""

import math
from collections.abc import Iterable

import pytest
from gearshift.pipeline import Decision, Pool, ProactiveScaler, Reason, Residency, Sample, Settings
from gearshift.pipeline.outlook import Outlook, OutlookWindow
from gearshift.pipeline.pretence import Pretence
from gearshift.pipeline.testing import rungs_of
from hypothesis import given
from hypothesis import strategies as st
from reactivex import Subject

from tests.pipeline.closed import play

LADDER = rungs_of(500, 300, 100)
SETTINGS = Settings(stabilisation=20.0, recovery=5.0)
READY = Residency(0.0, "ready", "large")


def decision(target: str | None, source: str | None = "large") -> Decision:
    return Decision("shed" if target is None else "downgrade", source, target, "planned", 7.0, Reason("forecast"))


def dry(
    external: Iterable[int | None], *, own: int = 0, first: Residency | None = None
) -> tuple[ProactiveScaler, list[Decision]]:
    """A dry run over samples one second apart, on a machine where `own` bytes are ours from the first load on."""
    source: Subject[Sample] = Subject()
    residencies: Subject[Residency] = Subject()
    scaler = ProactiveScaler(LADDER, SETTINGS, source, residencies=residencies, dry_run=True)
    made: list[Decision] = []
    scaler.decisions.subscribe(made.append)
    with scaler:
        if first is not None:
            residencies.on_next(first)
        for second, used in enumerate(external):
            ours = own if made or first is not None else 0
            pool = None if used is None else Pool(1000, used + ours, ours)
            source.on_next(Sample(float(second), {"ram": pool}, missing=("ram",) if used is None else ()))
    return scaler, made


def real(external: list[int | None]) -> list[Decision]:
    return play(external, LADDER, SETTINGS, load_seconds=0.0)


def test_what_is_really_loaded_counts_until_the_first_decision() -> None:
    pretence = Pretence(LADDER)
    assert pretence.believes(READY) and pretence.believes(Residency(1.0, "ready", "small"))
    assert pretence.done(decision("medium")) == Residency(7.0, "ready", "medium")
    assert not pretence.believes(Residency(8.0, "shifting", None))
    assert not pretence.believes(Residency(8.0, "ready", "large"))
    assert pretence.done(decision(None)) == Residency(7.0, "empty", None)
    assert not pretence.believes(Residency(8.0, "empty", None))


def test_how_the_load_went_that_was_asked_for_counts() -> None:
    pretence = Pretence(LADDER)
    pretence.done(decision("large", None))
    assert pretence.believes(Residency(9.0, "ready", "large", seconds=2.0))
    assert pretence.believes(Residency(9.0, "empty", None, failed="large"))


def seen(used: int, own: int) -> Outlook:
    pool = Pool(1000, used, own)
    return OutlookWindow(Settings()).sample(Sample(0.0, {"ram": pool, "cuda:0": None}))


def held(outlook: Outlook) -> Pool:
    found = outlook.pools["ram"]
    assert found is not None
    return found.pool


def test_a_machine_is_shown_with_what_would_be_loaded() -> None:
    pretence, as_read = Pretence(LADDER), seen(700, 500)
    assert pretence.shown(as_read) is as_read
    pretence.believes(READY)
    pretence.done(decision("small"))
    shown = pretence.shown(as_read)
    assert held(shown) == Pool(1000, 300, 100) and shown.pools["cuda:0"] is None and shown.sample is as_read.sample
    pretence.done(decision(None))
    assert held(pretence.shown(as_read)) == Pool(1000, 200, 0)
    pretence.done(decision("large", None))
    assert pretence.shown(as_read) is as_read, "it is what is loaded: what was measured is better than what it needs"


def test_each_decision_of_a_dry_run_is_made_once() -> None:
    scaler, made = dry([100] * 3 + [350] * 60, own=500, first=READY)
    assert [(d.kind, d.source, d.target) for d in made] == [("downgrade", "large", "medium")]
    assert scaler.counts == {("downgrade", "planned", "forecast"): 1}


def test_a_dry_run_sheds_and_recovers_in_its_mind_only() -> None:
    external = [100] * 3 + [950] * 30 + [100] * 60
    assert [(d.kind, d.source, d.target) for d in dry(external)[1]] == [
        ("upgrade", None, "large"), ("shed", "large", None), ("upgrade", None, "large"),
    ]  # fmt: skip


def wave(low: int, high: int, period: int, count: int) -> list[int | None]:
    middle, swing = (low + high) / 2, (high - low) / 2
    return [int(middle - swing * math.cos(2 * math.pi * i / period)) for i in range(count)]


@pytest.mark.parametrize("own", [0, 500])
def test_a_slow_wave_is_followed_down_and_up_as_in_a_real_run(own: int) -> None:
    external = wave(50, 880, 120, 400)
    expected = real(external)
    assert {d.kind for d in expected} == {"upgrade", "downgrade", "shed"} and len(expected) > 5
    assert dry(external, own=own)[1] == expected


STRETCH = st.tuples(st.one_of(st.none(), st.integers(0, 1000)), st.integers(1, 40))


@given(st.lists(STRETCH, min_size=1, max_size=8), st.sampled_from([0, 100, 500]))
def test_a_dry_run_tells_what_a_real_run_would_do(stretches: list[tuple[int | None, int]], own: int) -> None:
    external = [used for used, count in stretches for _ in range(count)]
    assert dry(external, own=own)[1] == real(external)


def test_a_request_is_told_and_taken_as_done() -> None:
    source: Subject[Sample] = Subject()
    scaler = ProactiveScaler(LADDER, SETTINGS, source, dry_run=True)
    with scaler:
        source.on_next(Sample(0.0, {"ram": Pool(1000, 100)}))
        for target in ("medium", "small"):
            made = scaler.initiate_graceful_degradation("a game starts")
            assert made is not None and made.target == target
            assert target in scaler.check_preflight_resources().reason
        assert scaler.initiate_graceful_degradation("a game starts") is None
