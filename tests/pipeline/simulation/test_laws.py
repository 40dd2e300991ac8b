"""What holds for every recording, ladder and policy."""

import math
from typing import NamedTuple

import pytest
from gearshift.pipeline import Pool, Request, Rung, Sample, Settings, Simulation, simulate
from hypothesis import given
from hypothesis import strategies as st

from .scripted import Scripted, now, to

TARGETS = (None, "small", "medium", "large")

ladders = st.tuples(st.integers(0, 900), st.integers(0, 900), st.integers(0, 900)).flatmap(
    lambda needs: st.builds(
        lambda context, per_token, quality: [
            Rung(name, {"ram": need}, quality - i, context, {"ram": per_token})
            for i, (name, need) in enumerate(zip(("large", "medium", "small"), needs, strict=True))
        ],
        st.integers(0, 40),
        st.integers(0, 9),
        st.integers(2, 9),
    )
)
readings = st.none() | st.tuples(st.integers(0, 1300), st.integers(0, 300))
steps = st.sampled_from([0.0, 0.01, 0.1, 0.5, 1.0, 1.0, 1.0, 3.7, 40.0, -2.0])
recordings = st.lists(st.tuples(steps, readings), min_size=1, max_size=40)
choices = st.lists(st.tuples(st.sampled_from(TARGETS), st.booleans()), max_size=40)
questions = st.lists(st.tuples(st.sampled_from([0.0, 0.3, 2.0, 7.5]), st.integers(0, 60), st.integers(0, 200)))


def samples_of(recorded: list[tuple[float, tuple[int, int] | None]]) -> list[Sample]:
    made: list[Sample] = []
    time = 0.0
    for step, reading in recorded:
        time += step
        pool = None if reading is None else Pool(1000, sum(reading), reading[1])
        made.append(Sample(time, {"ram": pool}))
    return made


def requests_of(asked: list[tuple[float, int, int]]) -> list[Request]:
    made: list[Request] = []
    time = 0.0
    for step, prompt, generated in asked:
        time += step
        made.append(Request(time, prompt, generated))
    return made


class Run(NamedTuple):
    found: Simulation
    policy: Scripted
    samples: list[Sample]
    ladder: list[Rung]


@st.composite
def runs(draw: st.DrawFn) -> Run:
    samples, ladder = samples_of(draw(recordings)), draw(ladders)
    script = {
        sample.time: now(target) if at_once else to(target)
        for sample, (target, at_once) in zip(samples, draw(choices), strict=False)
    }
    policy = Scripted(script)
    found = simulate(
        samples,
        ladder,
        Settings(),
        policy=policy,
        requests=requests_of(draw(questions)),
        load_time=draw(st.sampled_from([0.0, 0.04, 0.5, 2.0, 6.0])),
        kill_after=draw(st.sampled_from([0.1, 2.8, math.inf])),
    )
    return Run(found, policy, samples, ladder)


@given(runs())
def test_every_second_is_spent_with_one_rung_or_none(run: Run) -> None:
    found, _, samples, ladder = run
    times = [sample.time for sample in samples]
    assert found.seconds == pytest.approx(max(times) - times[0])
    assert sum(found.time_by_rung.values()) == pytest.approx(found.seconds)
    assert list(found.time_by_rung) == [*(rung.name for rung in ladder), None]
    assert min(found.time_by_rung.values()) >= 0


@given(runs())
def test_qualities_and_shortages_are_in_their_order(run: Run) -> None:
    found, _, _, ladder = run
    assert 0 <= found.effective_quality <= found.mean_quality + 1e-9 <= ladder[0].quality + 2e-9
    assert 0 <= found.overcommit_seconds <= found.above_seconds + 1e-9 <= found.seconds + 2e-9
    assert found.mean_quality * found.seconds == pytest.approx(
        sum(rung.quality * found.time_by_rung[rung.name] for rung in ladder)
    )


@given(runs())
def test_own_is_never_counted_twice(run: Run) -> None:
    found, policy, samples, ladder = run
    most = sum(sorted(rung.need["ram"] for rung in ladder)[-2:]) + 260 * 9
    external = 0
    for moment, seen, sample in zip(found.timeline, policy.samples, samples, strict=True):
        pool, recorded = seen.pools["ram"], sample.pools["ram"]
        assert (pool is None) == (recorded is None)
        if pool is not None and recorded is not None:
            external = recorded.used - recorded.own
            assert pool.used - pool.own == external == moment.external["ram"]
            assert 0 <= pool.own <= most and pool.used == moment.used["ram"]
        elif moment.external:
            assert moment.external["ram"] == external


@given(runs())
def test_what_the_policy_is_told_comes_in_the_order_of_time_and_makes_sense(run: Run) -> None:
    found, policy, _, _ = run
    times = [r.time for r in policy.residencies]
    assert times == sorted(times)
    for told, following in zip(policy.residencies, policy.residencies[1:], strict=False):
        unloaded = told.state == "shifting" and following.rung is None  # and then the load was called off
        assert following.state != "shifting" or following.rung == told.rung or unloaded
    assert all((r.state == "empty") == (r.rung is None) for r in policy.residencies if r.state != "shifting")
    assert sum(r.failed is not None for r in policy.residencies) == found.kills
    assert all(s.decision in found.decisions and s.decision.time <= s.began <= s.ended for s in found.shifts)
    assert all(one.ended <= other.began for one, other in zip(found.shifts, found.shifts[1:], strict=False))


@given(recordings, ladders)
def test_gearshift_itself_takes_any_recording(
    recorded: list[tuple[float, tuple[int, int] | None]], ladder: list[Rung]
) -> None:
    samples = samples_of(recorded)
    one = simulate(samples, ladder, Settings())
    assert one == simulate(samples, ladder, Settings())
    assert sum(one.time_by_rung.values()) == pytest.approx(one.seconds)


@given(recordings, ladders, choices, st.sampled_from([0.5, 2.0, 6.0]))
def test_more_samples_of_the_same_change_nothing(
    recorded: list[tuple[float, tuple[int, int] | None]],
    ladder: list[Rung],
    chosen: list[tuple[str | None, bool]],
    load_time: float,
) -> None:
    coarse = samples_of([(max(0.0, step), reading) for step, reading in recorded])
    fine: list[Sample] = []
    for one, following in zip(coarse, [*coarse[1:], coarse[-1]], strict=True):
        between = one.time + (following.time - one.time) / 3
        fine += [one, *([Sample(between, one.pools)] if one.time < between < following.time else [])]
    script = {
        s.time: now(target) if at_once else to(target) for s, (target, at_once) in zip(coarse, chosen, strict=False)
    }
    a, b = (
        simulate(samples, ladder, Settings(), policy=Scripted(script), load_time=load_time)
        for samples in (coarse, fine)
    )
    assert a.time_by_rung == pytest.approx(b.time_by_rung) and a.kills == b.kills
    assert (a.effective_quality, a.above_seconds) == pytest.approx((b.effective_quality, b.above_seconds))
    assert a.overcommit_seconds == pytest.approx(b.overcommit_seconds)
    assert [s.decision for s in a.shifts] == [s.decision for s in b.shifts]
