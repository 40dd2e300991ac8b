"""The oracle against every schedule there is, and its plan on the simulated machine."""

import random
from collections.abc import Iterator

import pytest
from gearshift.pipeline import Decision, Pool, Reason, Residency, Rung, Sample, Settings
from gearshift.pipeline.simulation import Simulation, oracle, simulate
from gearshift.pipeline.simulation.oracle import plan
from gearshift.pipeline.simulation.rivals import RIVALS
from gearshift.pipeline.simulation.scripted import Scripted
from hypothesis import given, settings
from hypothesis import strategies as st

TOTAL = 1000
LARGE, SMALL = Rung("large", {"ram": 450}, 1.0), Rung("small", {"ram": 100}, 0.6)
LADDER = [LARGE, SMALL]


def series(externals: list[int | None], every: float = 1.0) -> list[Sample]:
    return [Sample(i * every, {"ram": None if e is None else Pool(TOTAL, e)}) for i, e in enumerate(externals)]


def planned(samples: list[Sample], load_time: float = 2.0) -> list[tuple[float, str | None, str]]:
    found = plan(samples, LADDER, Settings(), load_time=load_time)
    return [(d.time, d.target, d.urgency) for d in found.decisions.values()]


def test_it_loads_the_best_rung_at_once_and_keeps_it() -> None:
    found = oracle(series([100] * 11), LADDER, Settings(), load_time=2.0)
    assert (found.policy, found.shifts, found.decisions[0].kind) == ("oracle", (), "upgrade")
    assert found.effective_quality == pytest.approx(0.8)
    assert found.time_by_rung == pytest.approx({"large": 8, "small": 0, None: 2})


def test_it_leaves_in_time_for_a_shortage_and_lets_the_old_rung_answer_meanwhile() -> None:
    # both fit while others hold at most 250; the new one must be loaded, and the old one gone, before the step at 10
    assert planned(series([200] * 10 + [600] * 10)) == [(0, "large", "planned"), (7, "small", "planned")]


def test_it_goes_to_the_last_moment_where_nothing_fits_beside() -> None:
    assert planned(series([300] * 10 + [600] * 10)) == [(0, "large", "planned"), (9, "small", "planned")]


def test_it_breaks_first_where_both_fit_only_at_the_beginning() -> None:
    found = planned(series([300] * 9 + [200] + [600] * 10))
    assert found == [(0, "large", "planned"), (9, "small", "immediate")]


def test_it_unloads_before_nothing_fits_and_comes_back() -> None:
    found = planned(series([100] * 10 + [750] * 5 + [100] * 20))
    assert found == [(0, "large", "planned"), (9, None, "planned"), (15, "large", "planned")]


def test_it_stays_away_from_room_too_short_to_load() -> None:
    assert planned(series([750, 100, 750] * 5)) == []


def test_of_equal_plans_it_takes_the_one_with_fewest_shifts() -> None:
    equal = [Rung("one", {"ram": 100}, 1.0), Rung("two", {"ram": 90}, 1.0)]
    assert len(plan(series([100] * 50), equal, Settings(), load_time=0.0).decisions) == 1


def test_a_pool_that_cannot_be_read_stays_as_it_was_and_nothing_is_loaded_beside() -> None:
    found = oracle(series([100] * 5 + [None] * 5 + [100] * 5), LADDER, Settings(), load_time=1.0)
    assert (found.shifts, found.time_by_rung["large"]) == ((), 13)


@pytest.mark.parametrize("samples", [[], series([100]), [Sample(float("nan"), {}), Sample(1.0, {})]])
def test_recordings_without_time_hold_nothing(samples: list[Sample]) -> None:
    assert oracle(samples, LADDER, Settings()).effective_quality == 0


def test_times_that_repeat_or_go_back_take_no_time() -> None:
    times = [0.0, 1.0, 1.0, 0.5, 2.0, 4.0, 4.0, float("inf"), 6.0]
    samples = [Sample(t, {"ram": Pool(TOTAL, e)}) for t, e in zip(times, [100, 900, 100] * 3, strict=True)]
    found = plan(samples, LADDER, Settings(), load_time=0.5)
    again = oracle(samples, LADDER, Settings(), load_time=0.5)
    assert again.effective_quality * 6 == pytest.approx(found.quality)
    assert again.above_seconds == 0


@st.composite
def machines(draw: st.DrawFn) -> tuple[list[Sample], list[Rung], dict[str, float]]:
    """Six samples of one or two pools, two rungs, and what they take to load."""
    pools = draw(st.sampled_from([["ram"], ["ram", "cuda:0"]]))
    external = st.one_of(st.none(), st.sampled_from([0, 150, 300, 420, 560, 690, 760, 990]))
    time, samples = 0.0, []
    for _ in range(6):
        read = {name: draw(external) for name in pools}
        samples.append(Sample(time, {name: None if e is None else Pool(TOTAL, e) for name, e in read.items()}))
        time += draw(st.sampled_from([0.02, 0.1, 0.5, 1.0, 2.0, 4.0]))
    rungs = []
    for name, quality in (("large", 1.0), ("small", draw(st.sampled_from([0.3, 0.6, 0.9])))):
        need = {pool: draw(st.sampled_from([50, 120, 250, 400])) for pool in pools}
        per_token = {pool: draw(st.sampled_from([0, 1])) for pool in pools}
        rungs.append(Rung(name, need, quality, 40, per_token))
    return samples, rungs, {rung.name: draw(st.sampled_from([0.0, 0.1, 0.9, 1.5, 3.0])) for rung in rungs}


class Watched(Scripted):
    """Notes what it was last told of."""

    state, rung = "empty", None

    def residency(self, residency: Residency) -> None:
        self.state, self.rung = residency.state, residency.rung


def every_run(samples: list[Sample], ladder: list[Rung], load: dict[str, float]) -> Iterator[Simulation]:
    """Every way to decide at samples at which no shift is under way, on the simulated machine."""

    def run(script: dict[int, Decision], upto: int) -> tuple[Watched, Simulation]:
        policy = Watched(script)
        return policy, simulate(samples[:upto], ladder, Settings(), load_time=lambda r: load[r.name], policy=policy)

    def go_on(script: dict[int, Decision], number: int) -> Iterator[Simulation]:
        if number == len(samples) - 1:
            yield run(script, len(samples))[1]
            return
        yield from go_on(script, number + 1)
        policy, _ = run(script, number + 1)
        if policy.state == "shifting":
            return
        for target in ["large", "small", None]:
            if target == policy.rung:
                continue
            for urgency in ("planned", "immediate") if policy.rung and target else ("planned",):
                decision = Decision("upgrade", policy.rung, target, urgency, samples[number].time, Reason("test"))
                yield from go_on({**script, number: decision}, number + 1)

    return go_on({}, 0)


@settings(max_examples=60)
@given(machines())
def test_no_schedule_is_better_and_its_own_is_as_good_as_it_says(
    machine: tuple[list[Sample], list[Rung], dict[str, float]],
) -> None:
    samples, ladder, load = machine
    found = plan(samples, ladder, Settings(), load_time=lambda r: load[r.name])
    runs = [run for run in every_run(samples, ladder, load) if run.above_seconds == 0]
    assert max(run.effective_quality * run.seconds for run in runs) == pytest.approx(found.quality, abs=1e-5)
    shown = oracle(samples, ladder, Settings(), load_time=lambda r: load[r.name])
    assert shown.effective_quality * shown.seconds == pytest.approx(found.quality, abs=1e-9)
    assert shown.above_seconds == 0


@pytest.mark.parametrize("every", [0.1, 1.0, 60.0])
def test_on_a_long_recording_its_plan_does_what_it_says_and_beats_all_that_stay_under_the_ceiling(every: float) -> None:
    draw, external, samples = random.Random(7), 300.0, []
    for i in range(3000):
        external = min(950.0, max(50.0, external + draw.gauss(0, 6) * every**0.5))
        samples.append(Sample(i * every, {"ram": Pool(TOTAL, int(external))}))
    found = plan(samples, LADDER, Settings(), load_time=8.0)
    shown = oracle(samples, LADDER, Settings(), load_time=8.0)
    assert shown.effective_quality * shown.seconds == pytest.approx(found.quality, rel=1e-12)
    assert (shown.above_seconds, shown.overcommit_seconds, shown.kills) == (0, 0, 0)
    assert len(shown.decisions) == len(found.decisions)
    for make in RIVALS.values():
        run = simulate(samples, LADDER, Settings(), load_time=8.0, policy=make(LADDER, Settings()))
        assert run.above_seconds > 0 or run.effective_quality <= shown.effective_quality + 1e-9


def test_what_is_reserved_stays_free() -> None:
    samples = [Sample(float(t), {"ram": Pool(1000, 0)}) for t in range(20)]
    ladder = [Rung("large", {"ram": 500}, 2.0), Rung("small", {"ram": 100})]
    kept = oracle(samples, ladder, Settings(reserve={"ram": 600}), load_time=1.0)
    assert {shift.decision.target for shift in kept.shifts} == set() and kept.time_by_rung["large"] == 0.0
    assert oracle(samples, ladder, Settings(reserve={"ram": 500}), load_time=1.0).time_by_rung["large"] > 0
