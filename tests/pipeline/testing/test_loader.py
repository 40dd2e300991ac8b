"""A backend that loads nothing takes its time, holds its memory, and fails where it is told to."""

import math
from typing import Any

import pytest
from gearshift.pipeline import Asked, Decision, Performed, Pool, ProactiveScaler, Reason, Residency, Sample, Settings
from gearshift.pipeline.testing import FakeLoader, marble_of, residency, rungs_of, sample, samples_of
from hypothesis import given
from hypothesis import strategies as st

LADDER = rungs_of(500, 300, 100)


def wish(target: str | None, time: float = 0.0, urgency: str = "planned") -> Decision:
    return Decision("shed" if target is None else "upgrade", None, target, urgency, time, Reason("asked"))


class Watched:
    """A loader, and what it told."""

    def __init__(self, **options: Any) -> None:
        self.loader = FakeLoader(LADDER, **options)
        self.told: list[Residency] = []
        self.seen: list[Sample] = []
        self.loader.residencies.subscribe(self.told.append)
        self.loader.samples.subscribe(self.seen.append)

    def at(self, *times: float) -> list[int]:
        """`own` in the samples at these times."""
        for time in times:
            self.loader.push(sample(time, ram=(100, 1000)))
        pools = [read.pools["ram"] for read in self.seen[-len(times) :]]
        return [pool.own for pool in pools if pool is not None]


def test_a_load_takes_its_seconds_and_holds_memory_from_its_beginning() -> None:
    watched = Watched(load_seconds=2.0)
    assert watched.at(0.0) == [0]
    watched.loader.obey(wish("large"))
    assert watched.loader.rung is None and watched.loader.own == {"ram": 500}
    assert watched.at(1.0, 1.9) == [500, 500] and watched.loader.rung is None
    assert watched.at(2.0) == [500] and watched.loader.rung == "large"
    assert watched.told == [
        Residency(0.0, "empty"), Residency(0.0, "shifting"), Residency(2.0, "ready", "large", seconds=2.0),
    ]  # fmt: skip


def test_what_is_left_gives_its_memory_back_before_what_comes_takes_any() -> None:
    watched = Watched(loaded="large")
    assert watched.at(0.0) == [500]
    watched.loader.obey(wish("small", 0.0))
    assert watched.at(1.0, 2.0) == [100, 100]
    assert watched.told[1:] == [
        Residency(0.0, "shifting", "large"), Residency(2.0, "ready", "small", seconds=2.0),
    ]  # fmt: skip


def test_a_load_ends_at_its_own_time_however_late_the_next_sample_is() -> None:
    watched = Watched(load_seconds={"large": 1.5, "medium": 0.0, "small": 0.0})
    watched.at(0.0)
    watched.loader.obey(wish("large"))
    watched.at(60.0)
    assert watched.told[-1] == Residency(1.5, "ready", "large", seconds=1.5)


def test_a_load_of_no_time_is_done_at_once() -> None:
    watched = Watched(load_seconds=0.0)
    watched.loader.obey(wish("small", 3.0))
    assert watched.loader.rung == "small" and watched.told[-1] == Residency(3.0, "ready", "small")


def test_nothing_is_loaded_after_a_shed_at_once() -> None:
    watched = Watched(loaded="large")
    watched.at(0.0)
    watched.loader.obey(wish(None, 0.0))
    assert watched.loader.own == {} and watched.at(1.0) == [0]
    assert watched.told[1:] == [Residency(0.0, "shifting", "large"), Residency(0.0, "empty")]


def test_a_broken_rung_fails_when_its_load_would_end_until_it_is_mended() -> None:
    watched = Watched(broken=["large"])
    watched.at(0.0)
    watched.loader.obey(wish("large"))
    assert watched.at(1.0, 2.0) == [500, 0]
    assert watched.told[-1] == Residency(2.0, "empty", failed="large")
    watched.loader.broken.clear()
    watched.loader.obey(wish("large", 2.0))
    watched.at(4.0)
    assert watched.loader.rung == "large"


def test_a_newer_decision_takes_the_place_of_one_under_way() -> None:
    watched = Watched()
    watched.at(0.0)
    watched.loader.obey(wish("large"))
    watched.at(1.0)
    watched.loader.obey(wish("small", 1.0))
    assert watched.at(2.0) == [100] and watched.loader.rung is None
    watched.at(3.0)
    assert [told.rung for told in watched.told if told.state == "ready"] == ["small"]


def test_the_same_rung_asked_for_again_is_not_loaded_anew() -> None:
    watched = Watched()
    watched.at(0.0)
    watched.loader.obey(wish("large"))
    watched.at(1.0)
    watched.loader.obey(wish("large", 1.0, "immediate"))
    watched.at(2.0)
    assert watched.loader.rung == "large"
    watched.loader.obey(wish("large", 2.0))
    assert watched.told[-1] == Residency(2.0, "ready", "large") and len(watched.told) == 4


def test_what_is_lost_is_told_as_failed_whether_loaded_or_on_its_way() -> None:
    watched = Watched(loaded="large")
    watched.at(5.0)
    watched.loader.lose()
    assert watched.told[-1] == Residency(5.0, "empty", failed="large") and watched.at(6.0) == [0]
    watched.loader.obey(wish("small", 6.0))
    watched.loader.lose()
    assert watched.told[-1] == Residency(6.0, "empty", failed="small")
    watched.at(60.0)
    assert watched.loader.rung is None, "the load that was lost does not end"
    with pytest.raises(ValueError, match="nothing to lose: no rung is loaded or being loaded"):
        watched.loader.lose()


def test_time_goes_on_from_its_latest_moment() -> None:
    watched = Watched()
    watched.at(10.0)
    watched.loader.obey(wish("large", 10.0))
    watched.at(3.0, 11.0)
    watched.loader.push(Sample(math.nan, {"ram": Pool(1000, 100)}))
    assert watched.loader.rung is None
    watched.at(12.0)
    assert watched.loader.rung == "large"


def test_a_decision_of_an_earlier_moment_for_what_is_loaded_takes_no_time_back() -> None:
    watched = Watched(loaded="large")
    watched.at(9.0)
    watched.loader.obey(wish("large", 6.0))
    assert watched.told[1:] == [Residency(9.0, "ready", "large")]


def test_a_recording_s_own_models_are_taken_off() -> None:
    watched = Watched(loaded="small")
    watched.loader.push(sample(0.0, ram=(700, 1000), own=500))
    watched.loader.push(sample(1.0, ram=None))
    assert [read.pools["ram"] for read in watched.seen] == [Pool(1000, 300, 100), None]


def test_each_pool_shows_what_is_held_in_it() -> None:
    loader = FakeLoader(rungs_of(gpu={"cuda:0": 500, "ram": 50}, cpu=200), load_seconds=0.0)
    seen: list[Sample] = []
    loader.samples.subscribe(seen.append)
    loader.play(samples_of({"ram": [100] * 30, "cuda:0": [100] * 15 + [450] * 15}))
    own = [{name: pool.own for name, pool in read.pools.items() if pool is not None} for read in seen]
    assert (own[0], own[1], own[-1]) == (
        {"ram": 0, "cuda:0": 0}, {"ram": 50, "cuda:0": 500}, {"ram": 200, "cuda:0": 0},
    )  # fmt: skip


def test_decisions_meet_the_outcome_of_those_before() -> None:
    loader = FakeLoader(LADDER, broken=["large"])
    made = loader.play(samples_of([100] * 10), Settings())
    assert [(d.source, d.target) for d in made] == [(None, "large"), (None, "medium")] and loader.rung == "medium"
    assert loader.decisions == made


def test_a_lost_model_is_replaced_within_the_loop() -> None:
    loader = FakeLoader(LADDER, loaded="large")
    assert loader.play(samples_of([100] * 5)) == []
    loader.lose()
    made = loader.play(samples_of([100] * 5, since=5.0))
    assert [d.target for d in made] == ["medium"] and loader.rung == "medium"


def test_what_the_app_asks_for_and_tells_is_played_where_it_stands() -> None:
    slow = [Performed(4.0, "generate", 1.0, False, "large")] * 5
    asked = FakeLoader(LADDER, loaded="large").play([*samples_of([100] * 5), Asked(4.0, "a game"), *samples_of([])])
    failing = FakeLoader(LADDER, loaded="large").play([*samples_of([100] * 5), *slow])
    assert [(d.target, d.reason.rule) for d in (*asked, *failing)] == [("medium", "asked"), ("medium", "failing")]


def test_a_scaler_is_driven_as_by_a_backend() -> None:
    loader = FakeLoader(LADDER, loaded="large")
    scaler = ProactiveScaler(LADDER, Settings(), loader.samples, residencies=loader.residencies)
    with scaler, scaler.decisions.subscribe(loader.obey):
        for each in samples_of([100] * 30 + [450] * 30):
            loader.push(each)
        assert scaler.rung == loader.rung == "medium"
    direct = FakeLoader(LADDER, loaded="large").play(samples_of([100] * 30 + [450] * 30))
    assert loader.decisions == direct and marble_of(direct, 60) == "-" * 30 + "D" + "-" * 29


STRETCH = st.tuples(st.one_of(st.none(), st.integers(0, 1000)), st.integers(1, 40))
SECONDS = st.sampled_from([0.0, 0.5, 2.0, 7.3])


@given(st.lists(STRETCH, min_size=1, max_size=6), SECONDS, st.sets(st.sampled_from(["large", "medium"])))
def test_whatever_others_do_it_tells_what_it_holds(
    stretches: list[tuple[int | None, int]], seconds: float, broken: set[str]
) -> None:
    loader = FakeLoader(LADDER, load_seconds=seconds, broken=broken)
    told: list[Residency] = []
    seen: list[Sample] = []
    loader.residencies.subscribe(told.append)
    loader.samples.subscribe(seen.append)
    external = [used for used, count in stretches for _ in range(count)]
    made = loader.play(samples_of(external))
    assert [None if (p := s.pools["ram"]) is None else p.external for s in seen] == external
    assert told[-1].rung == loader.rung or told[-1].state == "shifting"
    assert {t.failed for t in told} - {None} <= broken and loader.rung not in broken
    assert all(before.time <= after.time for before, after in zip(made, made[1:], strict=False))
    assert not broken & {t.rung for t in told if t.state == "ready"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"loaded": "huge"}, "loaded names 'huge', which is not on the ladder; its rungs are"),
        ({"broken": "huge"}, "broken names 'huge'"),
        ({"load_seconds": {"huge": 1.0}}, "load_seconds names 'huge'"),
        ({"load_seconds": {"large": 1.0}}, "load_seconds lacks ['medium', 'small']"),
        ({"load_seconds": -1.0}, "load_seconds must be a finite number of at least 0, got load_seconds=-1.0"),
        ({"load_seconds": {"large": math.nan}}, "load_seconds['large'] must be a finite number"),
        ({"ladder": []}, "at least one rung"),
    ],
)
def test_what_can_not_be_carried_out_is_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError) as caught:
        FakeLoader(**{"ladder": LADDER, **options})
    assert says in str(caught.value)


def test_a_decision_for_an_unknown_rung_and_an_odd_item_are_refused() -> None:
    loader = FakeLoader(LADDER)
    with pytest.raises(ValueError, match="a decision's target names 'huge', which is not on the ladder"):
        loader.obey(wish("huge"))
    with pytest.raises(TypeError, match=r"play takes samples, Asked and Performed, got Residency\("):
        loader.play([residency("large")])  # pyright: ignore[reportArgumentType]
