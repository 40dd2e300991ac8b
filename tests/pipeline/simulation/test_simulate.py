import math
from pathlib import Path

import msgspec
import pytest
import reactivex
from gearshift.pipeline import Decision, Pool, Reason, Rung, Sample, Settings, load, simulate
from gearshift.pipeline.simulation import fitted, read_from_disk

from .scripted import LADDER, Scripted, play, ram

RECORDINGS = Path(__file__).parents[2] / "recordings"


def test_samples_come_as_a_list_an_iterator_an_observable_or_a_recording() -> None:
    samples = ram([200] * 30)
    one = simulate(samples, LADDER)
    assert one == simulate(iter(samples), LADDER) == simulate(reactivex.from_iterable(samples), LADDER)
    assert one.time_by_rung["large"] == pytest.approx(29 - 0.5) and one.policy == "gearshift"
    recording = load(RECORDINGS / "build.jsonl")
    assert simulate(recording, LADDER, name="mine") == simulate(recording.samples, LADDER, name="mine")


def test_nothing_to_simulate() -> None:
    found = simulate([], LADDER)
    assert (found.seconds, found.mean_quality, found.effective_quality, found.timeline) == (0.0, 0.0, 0.0, ())
    assert found.time_by_rung == {"large": 0.0, "medium": 0.0, "small": 0.0, None: 0.0}
    alone = simulate(ram([200]), LADDER)
    assert (alone.seconds, len(alone.timeline), len(alone.decisions)) == (0.0, 1, 1)


def test_own_of_the_recording_is_no_one_elses_and_is_not_counted_twice() -> None:
    used = [Sample(float(t), {"ram": Pool(1000, 700, 500)}) for t in range(8)]
    assert simulate(used, LADDER) == simulate(ram([200] * 8), LADDER)


def test_the_policy_gets_the_rest_of_a_sample_as_it_was_recorded() -> None:
    policy = Scripted({})
    pools: dict[str, Pool | None] = {"ram": Pool(1000, 700, 500), "cuda:0": None}
    recorded = Sample(3.0, pools, cpu=0.5, alarm=True, missing=("cuda:0",))
    simulate([recorded], LADDER, policy=policy)
    assert policy.samples == [msgspec.structs.replace(recorded, pools={"ram": Pool(1000, 200), "cuda:0": None})]


def test_loads_take_what_they_are_said_to() -> None:
    big = [Rung("big", {"ram": 3_000_000_000, "cuda:0": 6_000_000_000})]
    samples = [Sample(t, {"ram": Pool(10**11, 0), "cuda:0": Pool(10**11, 0)}) for t in (0.0, 20.0)]
    for load_time, seconds in ((None, 6.0), (4, 4.0), (lambda rung: len(rung.name) / 2, 1.5), (0.0, 0.0)):
        found = simulate(samples, big, load_time=load_time)
        assert found.time_by_rung[None] == pytest.approx(seconds)
    assert read_from_disk(Rung("none", {})) == 0.5


def test_bad_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="ladder must hold at least one rung, got an empty one"):
        simulate([], [])
    with pytest.raises(ValueError, match=r"rung names must differ, got \['a', 'a'\]"):
        simulate([], [Rung("a", {}), Rung("a", {})])
    with pytest.raises(TypeError, match="ladder must hold Rung objects, best first, got 'large'"):
        simulate([], ["large"])  # pyright: ignore[reportArgumentType]
    for seconds in (-1, math.nan, math.inf):
        with pytest.raises(ValueError, match=rf"load_time must be seconds of at least 0, got load_time={seconds} for"):
            simulate([], LADDER, load_time=seconds)
    with pytest.raises(ValueError, match="got load_time=-2 for large"):
        simulate(ram([0, 0]), LADDER, load_time=lambda _: -2)
    with pytest.raises(ValueError, match="'huge', which is not on the ladder; its rungs are"):
        play([0, 0], {0.0: Decision("upgrade", None, "huge", "planned", 0.0, Reason("asked"))})


def test_settings_are_fitted_to_slow_samples_and_left_alone_otherwise() -> None:
    usual = Settings()
    assert fitted(usual, ram([0] * 9)) is usual
    assert fitted(usual, ram([0] * 9, step=0.1)) is usual
    assert fitted(usual, []) is usual and fitted(usual, ram([0])) is usual
    assert fitted(usual, ram([0] * 9, step=1.04)) is usual  # jitter
    slow = fitted(usual, ram([0] * 9, step=5.0))
    assert (slow.interval, slow.gap, slow.window, slow.horizon) == (5.0, 17.5, 50.0, 10.0)
    assert (slow.high, slow.stabilisation, slow.confirm) == (usual.high, usual.stabilisation, usual.confirm)


def test_gaps_bursts_and_steps_back_do_not_move_the_spacing() -> None:
    times = [0, 60, 120, 121, 122, 180, 170, 240, 9000, 9060, 9120, 9180]
    assert fitted(Settings(), [Sample(float(t), {}) for t in times]).interval == 60.0


def test_settings_that_are_given_are_used_as_they_are() -> None:
    slow = ram([100] * 40, step=60.0)
    assert simulate(slow, LADDER).time_by_rung["large"] > 2000
    eager = Settings(high=0.5, hysteresis=0.1)
    assert simulate(slow, LADDER, eager).time_by_rung["large"] == 0.0


@pytest.mark.parametrize("name", ["build", "browser", "leak", "model"])
def test_beside_real_programs_the_model_answers_nearly_all_the_time(name: str) -> None:
    ladder = [Rung("large", {"ram": 17_000 << 20}, 3.0), Rung("small", {"ram": 9_000 << 20}, 1.0)]
    found = simulate(load(RECORDINGS / f"{name}.jsonl"), ladder, Settings(high=0.81, hysteresis=0.01), load_time=1.0)
    assert found.kills == 0 and found.overcommit_seconds == 0.0
    assert found.time_by_rung[None] < 5
